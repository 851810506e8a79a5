import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'

it('an expiry that dies among the backups that it drops leaves nothing that looks damaged', async () => {
  const left = new Set<number>()
  for (let failAt = 0, tripped = true; tripped; failAt += 1) {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const source = new PageSource().fill(10, 1)
    await createBackup(source, repository, { type: 'full' })
    await createBackup(source.change(1, 9), repository, { type: 'incremental' })
    await createBackup(source.change(2, 9), repository, { type: 'incremental' })
    // Of the state that there is: it has no other number.
    await createBackup(source, repository, { type: 'incremental' })
    await createBackup(source.change(3, 9), repository, { type: 'full' })
    const faulty = new FaultStorage(storage, { failAt, moment: 'after', crash: true })
    try {
      const database = (await Repository.open(faulty)).database('app')
      await expireDatabase(database, { last: 1, window: 0 }, { graceMs: 0 })
    } catch (error) {
      assert.ok(hasCode(error, 'STORAGE_TRANSIENT', 'LEASE_LOST'), String(error))
    }
    // As the death of its holder would free it.
    await storage.delete(leaseKey('app'))
    left.add((await repository.database('app').catalog()).backups.length)
    const { findings } = await verifyRepository(repository)
    assert.deepEqual(findings, [], `operation ${failAt}`)
    tripped = faulty.tripped
  }
  assert.deepEqual([...left].sort(), [1, 2, 3, 4, 5])
})
