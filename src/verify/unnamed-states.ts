/** States that are stored though nothing names them: a manifest that was deleted leaves no other trace. */
import { isReachable, reachableLsns } from '../history/reachable.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { knownLease } from '../repository/known-lease.ts'
import { readRetention } from '../repository/retention-record.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { formatTime } from '../util/format-time.ts'

/**
 * Bases and deltas that lead to no backup, to no log, and to no far side of a gap. Within a gap lies what nobody went on from; and what logs
 * lead to as well is no less there than they are.
 */
export function unnamedSegments(catalog: Catalog): SegmentInfo[] {
  const acknowledged = acknowledgedSegments(catalog)
  const named = new Set(acknowledged)
  const reachable = reachableLsns(acknowledged)
  const isInGap = ({ to }: SegmentInfo) => catalog.gaps.some(({ fromLsn, toLsn }) => fromLsn < to && to < toLsn)
  return catalog.segments.filter(
    (segment) => !named.has(segment) && !isReachable(reachable, segment.to) && !isInGap(segment),
  )
}

/**
 * Looks again at what seemed to be unnamed: a backup may have been under way, or may have been deleted by now.
 * @param before keys of those that were unnamed at first
 * @returns a sentence about the newest of those of which it is not known why they are; undefined if there is none
 * @throws STORAGE_*, ABORTED
 */
export async function unnamedWarning(
  database: DatabaseRepository,
  before: ReadonlySet<string>,
  options: OperationOptions = {},
): Promise<string | undefined> {
  if (before.size === 0) return undefined
  // Read before the catalog, as a backup gets its manifest before it says that nothing is pending.
  const pending = (await knownLease(database, options))?.document.pending
  const catalog = await database.catalog(options)
  // What cannot be read may name it, or may tell that it was deleted.
  if (catalog.problems.length > 0) return undefined
  const { trash, deleted } = await readRetention(database, options)
  const isExplained = ({ key }: SegmentInfo) =>
    key === pending || trash[key] !== undefined || deleted[key] !== undefined || !before.has(key)
  const newest = unnamedSegments(catalog)
    .filter((segment) => !isExplained(segment))
    .toSorted((a, b) => b.to - a.to)[0]
  if (newest === undefined) return undefined
  const state = `a state of ${formatTime(newest.lastTime)} (LSN ${newest.to}, ${newest.key})`
  return `${database.name}: ${state} is stored, but no backup names it: its manifest was lost, or what stored it was interrupted. It can be restored by its LSN.`
}
