import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sqlite } from '../../src/backup/sqlite-database.ts'
import { HoldfastError } from '../../src/errors.ts'
import { BackupManager } from '../../src/library/backup-manager.ts'
import { mirrorTo } from '../../src/maintenance/mirror/mirror-to.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { probeStorage } from '../../src/storage/probe.ts'
import { removeProbeLeftovers } from '../../src/storage/probe-leftovers.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'

const hour = 3_600_000

/** A storage with what a probe left that was killed after so many operations. */
async function killedProbe(killAt: number, now: () => number = Date.now): Promise<MemoryStorage> {
  const storage = new MemoryStorage({ now })
  const faulty = new FaultStorage(storage, { failAt: killAt, moment: 'after', crash: true })
  await assert.rejects(probeStorage(faulty))
  return storage
}

async function leftovers(storage: BackupStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list('probe-'))).map(({ key }) => key)
}

const agoStorage = async (): Promise<MemoryStorage> => await killedProbe(0, () => Date.now() - 7 * hour)

class NoDeletes extends MemoryStorage {
  override async delete(key: string): Promise<void> {
    throw new HoldfastError('STORAGE_DENIED', 'Nothing is deleted here.', { object: key })
  }
}

describe('what a killed probe left', () => {
  it('goes when it is hours old, at whatever operation it was killed; nothing else does', async () => {
    let seen = 0
    for (let killAt = 0; killAt < 30; killAt += 1) {
      const storage = await killedProbe(killAt)
      seen += (await leftovers(storage)).length
      const others = ['probe-', 'probe-0707070707070707-other', 'probe-7-basic', 'probes/probe-0707070707070707-basic']
      for (const key of others) await storage.put(key, Buffer.from('mine'))
      const before = await leftovers(storage)
      await removeProbeLeftovers(storage, Date.now() + hour)
      assert.deepEqual(await leftovers(storage), before, 'a probe that may be running is disturbed')
      await removeProbeLeftovers(storage, Date.now() + 7 * hour)
      const left = (await Array.fromAsync(storage.list(''))).map(({ key }) => key)
      assert.deepEqual(left, others.toSorted())
    }
    assert.ok(seen > 10, String(seen))
  })

  it('stays where nothing may be deleted, without any harm', async () => {
    const storage = new NoDeletes()
    await storage.put('probe-0707070707070707-create', Buffer.from('x'))
    await removeProbeLeftovers(storage, Date.now() + 7 * hour)
    assert.equal((await leftovers(storage)).length, 1)
  })

  it('goes when a repository is made there, or opened to write to', async () => {
    const storage = await agoStorage()
    assert.equal((await leftovers(storage)).length, 1)
    await Repository.init(storage)
    assert.deepEqual(await leftovers(storage), [])
    const later = new MemoryStorage({ now: () => Date.now() - 7 * hour })
    await Repository.init(later)
    await later.put('probe-0707070707070707-create', Buffer.from('x'))
    await (await BackupManager.open({ source: sqlite('/data/app.db'), repository: later })).close()
    assert.deepEqual(await leftovers(later), [])
  })

  it('goes from a mirror, is not mirrored, and verification has nothing to say of it', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    await storage.put('probe-0707070707070707-basic', Buffer.from('x'))
    const mirror = await agoStorage()
    const { complete, findings } = await mirrorTo(repository, mirror)
    assert.deepEqual([complete, findings], [true, []])
    assert.deepEqual(await leftovers(mirror), [])
    assert.equal((await leftovers(storage)).length, 1, 'the source is only read')
    const { ok } = await verifyRepository(repository, { level: 'restore' })
    assert.ok(ok)
  })
})
