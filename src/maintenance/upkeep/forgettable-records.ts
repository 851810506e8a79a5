import { forgettableGaps, forgettablePauses } from '../../history/forgettable-gaps.ts'
import type { LsnRange } from '../../history/reachable.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { Catalog } from '../../repository/catalog.ts'
import { gapKey, pauseKey } from '../../repository/layout.ts'

/**
 * The records of gaps and pauses that tell nothing any more: their keys.
 * @param staying what is kept
 * @param present what can be read after this: also what is in the trash, whose commits must not be found by a time of a pause
 */
export function forgettableRecords(
  { database, gaps, pauses }: Pick<Catalog, 'database' | 'gaps' | 'pauses'>,
  { staying, present }: { readonly staying: readonly SegmentInfo[]; readonly present: readonly SegmentInfo[] },
  ranges: readonly LsnRange[],
): { readonly gaps: readonly string[]; readonly pauses: readonly string[] } {
  return {
    gaps: forgettableGaps(gaps, staying, ranges).map((gap) => gapKey(database, gap)),
    pauses: forgettablePauses(pauses, present, ranges).map((pause) => pauseKey(database, pause)),
  }
}
