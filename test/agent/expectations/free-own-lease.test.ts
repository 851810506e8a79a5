import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freeOwnLease } from '../../../src/agent/expectations/free-own-lease.ts'
import { localFiles } from '../../../src/capture/spool/local-files.ts'
import { lockStateFolder, stateFolderId } from '../../../src/capture/state-folder.ts'
import { leaseState } from '../../../src/repository/lease.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { currentProcess } from '../../../src/util/process-identity.ts'
import { plantLease } from '../../support/plant-lease.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** A lease as a killed follower leaves it. */
async function scene(owner: Partial<ReturnType<typeof currentProcess>> = { pid: 4_194_303 }) {
  const folder = temporaryFolder()
  const home = await stateFolderId(localFiles, folder.path)
  const repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  const leave = (purpose: string, of: string) =>
    plantLease(database, { owner: { ...currentProcess(), ...owner }, purpose, home: of })
  await leave('follow', home)
  return {
    folder,
    database,
    leave,
    free: () => freeOwnLease(database, folder.path),
    lease: async () => (await leaseState(database))?.document,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

describe('the lease of a database that an agent followed when it was killed', () => {
  it('is freed, and keeps what it says of the history', async () => {
    using all = await scene()
    assert.equal(await all.free(), 'freed')
    const { released, epoch, lsn } = (await all.lease()) ?? assert.fail()
    assert.deepEqual([released, epoch, lsn], [true, 4, 7])
    assert.equal(await all.free(), 'free')
  })

  it('is freed at once also where nobody can tell whether its process lives, as in another container', async () => {
    using all = await scene({ host: 'elsewhere', bootId: 'another' })
    assert.equal(await all.free(), 'freed')
  })

  it('is left alone if it is of another folder, of something else, or the folder is in use', async () => {
    using all = await scene()
    await all.leave('follow', 'another')
    assert.equal(await all.free(), 'free')
    const id = await stateFolderId(localFiles, all.folder.path)
    await all.leave('backup', id)
    assert.equal(await all.free(), 'free')
    await all.leave('follow', id)
    assert.equal((await all.lease())?.released, false)
    using _ = await lockStateFolder(localFiles, all.folder.path)
    assert.equal(await all.free(), 'in-use')
    assert.equal((await all.lease())?.released, false)
  })

  it('is none where it never followed', async () => {
    using all = await scene()
    assert.equal(await freeOwnLease(all.database, all.folder.file('nothing')), 'free')
    assert.equal((await all.lease())?.released, false)
  })
})
