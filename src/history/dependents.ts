import { type Lsn, toLsn } from './lsn.ts'
import { planRestore } from './plan.ts'
import { isReachable, type LsnRange, reachableLsns } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'
import { unneededSegments } from './unneeded-segments.ts'

/** What a backup is to the model: a kept LSN. */
export interface KeptBackup {
  readonly id: string
  readonly lsn: Lsn
}

/**
 * The segments that restores of these LSNs would fetch, in order of the given list.
 * @throws UnreachableError if one cannot be reached
 */
export function segmentsNeededBy(segments: readonly SegmentInfo[], lsns: Iterable<Lsn>): SegmentInfo[] {
  const needed = new Set<SegmentInfo>()
  for (const lsn of new Set(lsns)) for (const { segment } of planRestore(segments, lsn).steps) needed.add(segment)
  return segments.filter((segment) => needed.has(segment))
}

/**
 * The other backups that could no longer be restored if this backup's own segments (the bases and deltas that end at its LSN) were
 * deleted. None while another backup has the same LSN: that one keeps the segments.
 */
export function dependentsOf<Backup extends KeptBackup>(
  segments: readonly SegmentInfo[],
  backups: readonly Backup[],
  backup: KeptBackup,
): Backup[] {
  const others = backups.filter(({ id }) => id !== backup.id)
  if (others.some(({ lsn }) => lsn === backup.lsn)) return []
  const now = reachableLsns(segments)
  const then = reachableLsns(segments.filter((segment) => !isOwn(segment, backup)))
  return others.filter(({ lsn }) => isReachable(now, lsn) && !isReachable(then, lsn))
}

export interface Deletion<Backup> {
  /** Backups that need this one. If there are any, it must stay. */
  readonly dependents: readonly Backup[]
  /** Segments that go with it; empty while there are dependents. May be empty otherwise too: then only the manifest goes. */
  readonly segments: readonly SegmentInfo[]
}

/**
 * What deleting one backup means: its own segments, and those that led to nothing else. Everything else that can be restored
 * stays so, as does all of the protected ranges, such as a point-in-time window.
 * @throws UnreachableError if another backup cannot be reached as it is: something is missing, so nothing may be deleted
 */
export function planDeletion<Backup extends KeptBackup>(
  segments: readonly SegmentInfo[],
  backups: readonly Backup[],
  backup: KeptBackup,
  protectedRanges: readonly LsnRange[] = [],
): Deletion<Backup> {
  const dependents = dependentsOf(segments, backups, backup)
  if (dependents.length > 0) return { dependents, segments: [] }
  const kept = backups.flatMap(({ id, lsn }) => (id === backup.id ? [] : lsn))
  const unneeded = new Set(unneededSegments(segments, kept, protectedRanges))
  const unneededAnyway = new Set(
    unneededSegments(segments, [...kept, ...reachableOnly(segments, backup.lsn)], protectedRanges),
  )
  const own = kept.includes(backup.lsn) ? [] : segments.filter((segment) => isOwn(segment, backup))
  const freed = new Set([...unneeded].filter((segment) => !unneededAnyway.has(segment)))
  if (staysReachable(segments, new Set(own), protectedRanges)) for (const segment of own) freed.add(segment)
  return { dependents, segments: segments.filter((segment) => freed.has(segment)) }
}

/** A damaged backup, which cannot be reached any more, can be deleted too. */
function reachableOnly(segments: readonly SegmentInfo[], lsn: Lsn): Lsn[] {
  return isReachable(reachableLsns(segments), lsn) ? [lsn] : []
}

function staysReachable(
  segments: readonly SegmentInfo[],
  without: ReadonlySet<SegmentInfo>,
  ranges: readonly LsnRange[],
): boolean {
  if (without.size === 0 || ranges.length === 0) return true
  const now = clip(reachableLsns(segments), ranges)
  const then = clip(reachableLsns(segments.filter((segment) => !without.has(segment))), ranges)
  return (
    now.length === then.length && now.every(({ first, last }, i) => first === then[i]?.first && last === then[i]?.last)
  )
}

function clip(reachable: readonly LsnRange[], ranges: readonly LsnRange[]): LsnRange[] {
  return ranges.flatMap((range) =>
    reachable
      .filter(({ first, last }) => first <= range.last && last >= range.first)
      .map(({ first, last }) => ({
        first: toLsn(Math.max(first, range.first)),
        last: toLsn(Math.min(last, range.last)),
      })),
  )
}

function isOwn(segment: SegmentInfo, backup: KeptBackup): boolean {
  return segment.kind !== 'log' && segment.to === backup.lsn
}
