import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { hasCode } from '../../../src/errors.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { FaultStorage } from '../../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { PageSource } from '../../support/page-source.ts'
import { copyInto } from './support/mirrored-history.ts'

it('a mirroring that dies among the backups that it copies or drops leaves a mirror in which nothing looks damaged', async () => {
  const repository = await Repository.init(new MemoryStorage())
  const source = new PageSource().fill(10, 1)
  await createBackup(source, repository, { type: 'full' })
  await createBackup(source.change(1, 9), repository, { type: 'incremental' })
  const early = new MemoryStorage()
  await mirrorTo(repository, early, { graceMs: 0 })
  await createBackup(source.change(2, 9), repository, { type: 'incremental' })
  // Of the state that there is: it has no other number.
  await createBackup(source, repository, { type: 'incremental' })
  await createBackup(source.change(3, 9), repository, { type: 'full' })
  const full = new MemoryStorage()
  await mirrorTo(repository, full, { graceMs: 0 })
  const everyFault = async (original: MemoryStorage): Promise<ReadonlySet<number>> => {
    const left = new Set<number>()
    for (let failAt = 0, tripped = true; tripped; failAt += 1) {
      const storage = new MemoryStorage()
      await copyInto(original, storage)
      const faulty = new FaultStorage(storage, { failAt, moment: 'after', crash: true })
      try {
        await mirrorTo(repository, faulty, { graceMs: 0 })
      } catch (error) {
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT', 'LEASE_LOST'), String(error))
      }
      const mirror = await Repository.open(storage)
      left.add((await mirror.database('app').catalog()).backups.length)
      const { findings } = await verifyRepository(mirror)
      assert.deepEqual(findings, [], `operation ${failAt}`)
      tripped = faulty.tripped
    }
    return left
  }
  assert.deepEqual([...(await everyFault(early))].sort(), [2, 3, 4, 5])
  await expireDatabase(repository.database('app'), { last: 1, window: 0 }, { graceMs: 0 })
  assert.deepEqual([...(await everyFault(full))].sort(), [1, 2, 3, 4, 5])
})
