import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { checkIdentity, namingPlaces, recordToWrite } from '../../src/backup/identity.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { PageSource } from '../support/page-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const recordKey = 'databases/app/database.json'
const mine = () => new PageSource('/mine/app.db').fill(3, 1)
const other = () => new PageSource('/other/app.db').fill(3, 2)
const taken = (error: unknown): boolean => hasCode(error, 'NAME_TAKEN')

async function scene() {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  const database = repository.database('app')
  const toWrite = async (source: PageSource, options: Parameters<typeof recordToWrite>[3]) =>
    await recordToWrite(source, database, await database.catalog(), options)
  return { storage, repository, database, toWrite }
}

describe('a name that nobody gave', () => {
  for (const unnamedIn of namingPlaces) {
    it(`is refused to another database, with what to say in a ${unnamedIn}`, async () => {
      const { repository } = await scene()
      const options = { type: 'full', database: 'app', unnamedIn } as const
      await createBackup(mine(), repository, options)
      await createBackup(mine(), repository, options)
      await assert.rejects(createBackup(other(), repository, options), {
        code: 'NAME_TAKEN',
        object: '/other/app.db',
        message:
          'The name app is that of another database in this repository: /mine/app.db. So /other/app.db is not backed up.',
        hint: unnamedIn === 'command' ? /--database app\.$/ : /"name: app"/,
      })
      const { metadata } = await createBackup(other(), repository, { type: 'full', database: 'app' })
      assert.equal(metadata.location, '/other/app.db', 'a name that is given is meant')
    })
  }

  it('is refused under the lease too: until that was taken, another may have begun a history', async () => {
    const { database, toWrite } = await scene()
    const createdAt = new Date(0).toISOString()
    await database.putRecord({ name: 'app', kind: 'sqlite', location: '/mine/app.db', createdAt })
    const choice = { database: 'app', unnamedIn: 'configuration' } as const
    assert.equal(await toWrite(mine(), choice), undefined)
    await assert.rejects(toWrite(other(), choice), taken)
    assert.equal(await toWrite(other(), { database: 'app' }), undefined)
  })

  it('goes with a file that is the same by a link', async () => {
    const { database } = await scene()
    using folder = temporaryFolder()
    writeFileSync(folder.file('real.db'), '')
    symlinkSync(folder.file('real.db'), folder.file('link.db'))
    const createdAt = new Date(0).toISOString()
    await database.putRecord({ name: 'app', kind: 'sqlite', location: folder.file('real.db'), createdAt })
    const choice = { database: 'app', unnamedIn: 'configuration' } as const
    await checkIdentity({ location: folder.file('link.db') }, database, choice)
    await assert.rejects(checkIdentity({ location: folder.file('none.db') }, database, choice), taken)
  })
})

describe('the record of a database', () => {
  const unnamed = { database: 'app', unnamedIn: 'configuration' } as const

  it('is written anew where its backups are from the same place, and refused to others', async () => {
    for (const loss of ['lost', 'damaged'] as const) {
      const { storage, repository, toWrite } = await scene()
      await createBackup(mine(), repository, { type: 'full' })
      if (loss === 'lost') await storage.delete(recordKey)
      else await storage.put(recordKey, Buffer.from('{'))
      assert.equal(await toWrite(mine(), unnamed), 'again')
      await assert.rejects(toWrite(other(), unnamed), taken)
      assert.equal(await toWrite(other(), { database: 'app' }), 'again')
    }
  })

  it('is written anew where there are no backups, if this machine wrote the history itself', async () => {
    const { storage, toWrite } = await scene()
    assert.equal(await toWrite(mine(), unnamed), 'new')
    await storage.put(recordKey, Buffer.from('{'))
    await assert.rejects(toWrite(mine(), unnamed), taken)
    assert.equal(await toWrite(mine(), { ...unnamed, isKnownHere: true }), 'again')
  })
})
