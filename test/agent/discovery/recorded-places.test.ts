import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RecordedPlaces } from '../../../src/agent/discovery/recorded-places.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'

const createdAt = new Date(0).toISOString()

async function scene() {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  await repository.database('app').putRecord({ name: 'app', kind: 'sqlite', location: '/srv/app.db', createdAt })
  const said: string[] = []
  const log = { debug: (message: string) => void said.push(message) }
  return { storage, repository, said, log, signal: new AbortController().signal }
}

describe('where the databases of a repository are from', () => {
  it('is told by their records; what is damaged says nothing', async () => {
    const { storage, said, ...context } = await scene()
    await storage.put('databases/bad/database.json', Buffer.from('{'))
    const places = new RecordedPlaces(context)
    assert.equal(await places.isAt('app', '/srv/app.db'), true)
    assert.equal(await places.isAt('app', '/srv/other.db'), false)
    assert.equal(await places.isAt('none', '/srv/none.db'), false)
    assert.equal(await places.isAt('bad', '/srv/bad.db'), false)
    assert.equal(await places.isAt('app', '/srv/app.db'), true)
    assert.deepEqual(said, [])
  })

  for (const [how, record] of [
    ['fails', async () => Promise.reject(new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.'))],
    ['hangs', () => new Promise<never>(() => {})],
  ] as const) {
    it(`cannot be told while the storage ${how}, which is asked once then`, async () => {
      const { said, repository, ...context } = await scene()
      let asked = 0
      const database = (name: string) =>
        Object.assign(Object.create(repository.database(name)), {
          record: () => {
            asked += 1
            return record()
          },
        })
      const places = new RecordedPlaces({ ...context, repository: { database }, patienceMs: 5 })
      assert.equal(await places.isAt('app', '/srv/app.db'), undefined)
      assert.equal(await places.isAt('app', '/srv/app.db'), undefined)
      assert.equal(asked, 1)
      assert.match(said.join(), /^What is called app in the repository cannot be told\. \S+/)
    })
  }
})
