/** Mirroring that ends at any of its storage operations, on either side. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../../src/errors.ts'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { mirrorLeaseKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import type { FaultMoment } from '../../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, copyInto, mirrorHistory } from './support/mirrored-history.ts'

const options = { graceMs: 0 }

/** A mirror that is behind: there is something to copy, to replace and to delete. */
async function sample(): Promise<{ history: KeptHistory; mirror: MemoryStorage }> {
  const history = await KeptHistory.make(33)
  const mirror = new MemoryStorage()
  await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
  await history.log(3, hour)
  await history.log(3, hour)
  await history.backup()
  await mirrorHistory(history, mirror, options)
  await compactDatabase(await history.database(), { rollUp: { minSegments: 2, growth: 1 }, now: history.time })
  await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(9 * day) })
  await expireDatabase(await history.database(), { last: 1, window: hour }, { graceMs: 0, now: history.time })
  await history.log(2, hour)
  await history.backup()
  await history.freeLease()
  return { history, mirror }
}

async function everyFault(moment: FaultMoment, begin: 'anew' | 'behind', side: 'source' | 'mirror'): Promise<number> {
  const { history, mirror: behind } = await sample()
  const original = begin === 'anew' ? new MemoryStorage() : behind
  const mirror = new MemoryStorage()
  for (let failAt = 0; ; failAt += 1) {
    await copyInto(original, mirror)
    const plan = { failAt, moment, crash: true }
    const faulty = new FaultStorage(side === 'source' ? history.storage : mirror, plan)
    try {
      const source = await Repository.open(side === 'source' ? faulty : history.storage)
      await mirrorTo(source, side === 'mirror' ? faulty : mirror, { ...options, now: history.time })
    } catch (error) {
      assert.ok(hasCode(error, 'STORAGE_TRANSIENT', 'LEASE_LOST'), String(error))
    }
    await checkMirror(history, mirror)
    // What the end of the process does.
    await mirror.delete(mirrorLeaseKey)
    const report = await mirrorHistory(history, mirror, options)
    assert.ok(report.complete, JSON.stringify(report))
    assert.deepEqual([...report.missing, ...report.heldBack], [])
    assert.deepEqual(await contents(mirror), await contents(history.storage))
    await checkMirror(history, mirror)
    if (!faulty.tripped) return failAt
  }
}

describe('an interruption at any storage operation', () => {
  for (const begin of ['anew', 'behind'] as const) {
    for (const moment of ['before', 'after', 'midway'] as const) {
      it(`of the mirror (${begin}, ${moment}) loses nothing, and the next run completes it`, async () => {
        const runs = await everyFault(moment, begin, 'mirror')
        assert.ok(runs > 30, String(runs))
      })
    }
    it(`of the source (${begin}) loses nothing, and the next run completes it`, async () => {
      const runs = await everyFault('before', begin, 'source')
      assert.ok(runs > 10, String(runs))
    })
  }
})
