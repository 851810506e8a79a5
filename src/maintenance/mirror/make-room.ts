import { inBoth, reachableLsns } from '../../history/reachable.ts'
import { readLedger } from '../../repository/verification-ledger.ts'
import { listAgain, segmentsOf } from './listings.ts'
import { planCopies } from './plan-copies.ts'
import { readRetention } from './read-retention.ts'
import { removeAbsent } from './remove-absent.ts'
import type { DatabaseRun } from './run-context.ts'

/**
 * Where a copy found no room on the mirror: what is due to go there goes first, as far as no state needs it that is on the mirror and is
 * to stay.
 * @returns whether anything went, so that it is worth copying again
 * @throws LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED
 */
export async function makeRoom(run: DatabaseRun): Promise<boolean> {
  const { source, sides, settings, options } = run
  await settings.room?.make()
  const listings = await listAgain(run)
  const plan = planCopies(source.name, listings.source, listings.mirror)
  const retention = await readRetention(run, plan)
  if (retention === undefined) return false
  // What is not sound there, or not known to be, carries no state.
  const ledger = await readLedger(sides.mirror, options)
  const doubtful = new Set(plan.differing.map(({ key }) => key))
  for (const [key, { ok }] of Object.entries(ledger.segments)) if (!ok) doubtful.add(key)
  const segments = segmentsOf(source.name, listings.mirror).filter(({ key }) => !doubtful.has(key))
  const sourceSegments = segmentsOf(source.name, listings.source)
  const stay = inBoth(reachableLsns(segments), reachableLsns(sourceSegments))
  const before = run.deleted.length
  await removeAbsent(run, { absent: plan.absent, segments, sourceSegments, records: retention.records, stay })
  return run.deleted.length > before
}
