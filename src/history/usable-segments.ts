/**
 * The epoch rule. After a takeover of the writer's lease, the former holder may not have noticed yet and still write segments:
 * they tell of the same LSNs as the new holder's, but another story. The new holder's is the true one.
 *
 * The *first LSN* of an epoch is the state on which its first commit was made: the smallest `from` of its logs, or `to - 1` of its
 * bases and deltas (whose `from` says only what they build on: a full backup starts at 0 in every epoch). Whatever an older
 * epoch says of later LSNs is void:
 * - a base or delta of a lower epoch that ends after a higher epoch's first LSN;
 * - a log of a lower epoch that starts at or after it; one that starts before it counts up to it.
 * This is so whether or not the intervals overlap: what hangs on a void segment would otherwise be entered from the
 * new holder's state of the same number.
 *
 * For this, a segment's epoch must be that of the writer that made its last commit: a merged segment carries the highest epoch of
 * what it was merged from, and a merged log never crosses from one epoch into the next. And no writer captures an LSN
 * again that an earlier epoch has: every capture gets a new one, greater than all in the listing.
 */
import type { Lsn } from './lsn.ts'
import { toLsn } from './lsn.ts'
import type { SegmentInfo } from './segment-info.ts'

export interface UsableSegment {
  readonly segment: SegmentInfo
  /** The last LSN that the segment may be used for: its `to`, or less for a log whose tail is void. */
  readonly upTo: Lsn
}

/** The segments that are not void, ascending by `from`. */
export function usableSegments(segments: readonly SegmentInfo[]): UsableSegment[] {
  const limits = epochLimits(segments)
  const usable: UsableSegment[] = []
  for (const segment of segments) {
    const upTo = usableUpTo(segment, limits.get(segment.epoch) ?? Number.POSITIVE_INFINITY)
    if (upTo !== undefined) usable.push({ segment, upTo })
  }
  return usable.sort((a, b) => a.segment.from - b.segment.from)
}

/** The segments that another writer's higher epoch has made void as a whole. */
export function voidSegments(segments: readonly SegmentInfo[]): SegmentInfo[] {
  const usable = new Set(usableSegments(segments).map(({ segment }) => segment))
  return segments.filter((segment) => isInterval(segment) && !usable.has(segment))
}

function usableUpTo(segment: SegmentInfo, limit: number): Lsn | undefined {
  if (!isInterval(segment)) return undefined
  if (segment.to <= limit) return segment.to
  return segment.kind === 'log' && segment.from < limit ? toLsn(limit) : undefined
}

/** For each epoch, the smallest first LSN of the epochs above it. */
function epochLimits(segments: readonly SegmentInfo[]): Map<number, number> {
  const firstLsns = new Map<number, number>()
  for (const segment of segments) {
    if (!isInterval(segment)) continue
    const first = segment.kind === 'log' ? segment.from : segment.to - 1
    firstLsns.set(segment.epoch, Math.min(first, firstLsns.get(segment.epoch) ?? first))
  }
  const limits = new Map<number, number>()
  let limit = Number.POSITIVE_INFINITY
  for (const [epoch, first] of [...firstLsns].sort(([a], [b]) => b - a)) {
    limits.set(epoch, limit)
    limit = Math.min(limit, first)
  }
  return limits
}

/** Anything else is no interval, and leads nowhere. */
function isInterval(segment: SegmentInfo): boolean {
  return segment.from < segment.to && (segment.kind !== 'base' || segment.from === 0)
}
