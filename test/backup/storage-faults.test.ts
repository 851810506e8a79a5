/** Every single storage operation of a backup fails once, in each way that an operation can fail. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { FaultMoment } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'
import { readState } from '../support/read-state.ts'

const moments: FaultMoment[] = ['before', 'after', 'midway']

describe('a backup whose n-th storage operation fails', () => {
  for (const crash of [false, true]) {
    for (const moment of moments) {
      it(`${moment} taking effect${crash ? ', and the process with it' : ''}: acknowledged backups stay exact, others are absent or complete`, async () => {
        let failures = 0
        for (let n = 0; ; n += 1) {
          const inner = new MemoryStorage()
          const source = new PageSource().fill(200, 1)
          await Repository.init(inner)
          const expected = new Map<number, Buffer>()
          const first = await createBackup(source, await Repository.open(inner), { type: 'full' })
          expected.set(first.metadata.lsn, source.image())
          const faulty = new FaultStorage(inner, { failAt: n, moment, crash })
          const before = source.image()
          source.change(5, n % 200).change(150, 3)
          const wanted = source.image()
          const result = await attempt(async () =>
            createBackup(source, await Repository.open(faulty), { type: 'incremental' }),
          )
          if (result !== undefined) expected.set(result.metadata.lsn, wanted)
          else failures += 1
          await assertSound(inner, expected, [before, wanted])
          await releaseLeaseOfCrashed(inner)
          const again = await createBackup(source, await Repository.open(inner), { type: 'incremental' })
          expected.set(again.metadata.lsn, wanted)
          await assertSound(inner, expected, [before, wanted])
          if (!faulty.tripped) break
        }
        assert.ok(failures > 5, `only ${failures} operations made a backup fail`)
      })
    }
  }
})

async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    assert.ok(error instanceof HoldfastError, `not a HoldfastError: ${error}`)
    assert.notEqual(error.code, 'INTERNAL', error.stack)
    return undefined
  }
}

/** A process that is gone cannot release its lease; this one is still there, so the test does what its death would. */
async function releaseLeaseOfCrashed(storage: MemoryStorage): Promise<void> {
  await storage.delete('databases/app/lease.json')
}

async function assertSound(
  storage: MemoryStorage,
  acknowledged: ReadonlyMap<number, Buffer>,
  possible: readonly Buffer[],
): Promise<void> {
  const repository = await Repository.open(storage)
  const database = repository.database('app')
  const { ok, findings } = await verifyRepository(repository, { level: 'data' })
  assert.ok(ok, JSON.stringify(findings))
  for (const [lsn, image] of acknowledged) assert.deepEqual(await readState(database, lsn), image)
  const { backups } = await database.catalog()
  for (const { lsn } of backups) {
    const state = await readState(database, lsn)
    assert.ok(
      possible.some((image) => image.equals(state)),
      `backup of LSN ${lsn} holds neither state`,
    )
  }
}
