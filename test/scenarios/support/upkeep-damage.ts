import assert from 'node:assert/strict'
import { toLsn } from '../../../src/history/lsn.ts'
import { planRestore } from '../../../src/history/plan.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import type { BackupStorage } from '../../../src/storage/storage.ts'
import { collectBytes } from '../../../src/util/bytes.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import type { Random } from '../../support/random.ts'

/**
 * Damages a segment that leads to that state, anywhere; verification must name it and nothing else. Then some work is done beside the
 * damage, and the object is brought back.
 */
export async function withDamage(
  storage: BackupStorage,
  database: DatabaseRepository,
  lsn: number,
  random: Random,
  work: () => Promise<void>,
): Promise<void> {
  const { segments } = await database.catalog()
  const { steps } = planRestore(segments, toLsn(lsn))
  const { key } = steps[random.below(steps.length)]?.segment ?? assert.fail('A plan without segments.')
  const whole = await collectBytes(storage.get(key))
  const damaged = Uint8Array.from(whole)
  const at = random.below(damaged.length)
  damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8))
  await storage.put(key, damaged)
  const { findings } = await verifyRepository(database.repository)
  assert.ok(findings.length > 0, `${key} is damaged at byte ${at}, and verification found nothing`)
  for (const finding of findings)
    assert.equal(finding.object, key, `bit of byte ${at} of ${damaged.length}: ${JSON.stringify(finding)}`)
  await work()
  await storage.put(key, whole)
  assert.deepEqual((await verifyRepository(database.repository)).findings, [])
}
