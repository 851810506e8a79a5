import type { DrillRecord } from '../../../repository/drill-record.ts'
import type { Observation } from '../engine/advance.ts'
import { drillKey } from './operation.ts'

/**
 * What the drills say that a repository remembers, whoever made them; oldest first. A failed one stands until another passes: one that could
 * not be finished changes nothing.
 * @param knownSince since when something is known to be wrong, in milliseconds since 1970. Only what was tried later says more of that: a drill
 * that did not come as far as the repository is not remembered there.
 */
export function observeDrills(
  database: string,
  drills: readonly Pick<DrillRecord, 'verdict' | 'reasons' | 'drilledAt' | 'backup' | 'host'>[],
  knownSince: number | undefined,
): readonly Observation[] {
  const key = drillKey(database)
  const decided = drills.findLast(({ verdict }) => verdict !== 'inconclusive')
  if (decided === undefined || Date.parse(decided.drilledAt) <= (knownSince ?? 0)) return []
  if (decided.verdict === 'passed') return [{ what: 'absent', key }]
  const { reasons, drilledAt, backup, host } = decided
  const why = reasons.length === 0 ? '.' : `: ${reasons.join(' ')}`
  const condition = {
    key,
    kind: 'drill',
    severity: 'critical',
    database,
    summary: `The restore drill of ${database} failed${why}`,
    hint: `Run "holdfast drill ${database}" to see it again, and make a full backup.`,
    details: { drilledAt, host, ...(backup === null ? {} : { backup }) },
  } as const
  return [{ what: 'present', condition }]
}
