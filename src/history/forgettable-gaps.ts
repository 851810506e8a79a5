import type { Pause } from './pause.ts'
import type { LsnRange } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'
import type { GapRecord } from './windows.ts'

/**
 * The gaps that lie before everything of which single commits are kept: there, only kept states are known anyway, and what lies between
 * two of them is not. A database that is followed without a log leaves one a minute; they must not heap up. The newest that
 * leads to a state stays in any case: nothing else may say that this state was promised.
 * @param segments what stays
 */
export function forgettableGaps(
  gaps: readonly GapRecord[],
  segments: readonly SegmentInfo[],
  ranges: readonly LsnRange[],
): GapRecord[] {
  const first = firstOfSingleCommits(segments, ranges)
  const ends = new Set<number>(segments.map(({ to }) => to))
  const newest = gaps.findLast(({ toLsn }) => ends.has(toLsn))?.toLsn ?? Number.MAX_SAFE_INTEGER
  return gaps.filter(({ toLsn }) => toLsn < first && toLsn < newest)
}

/** The pauses that lie before everything of which single commits are kept; as {@link forgettableGaps}, but that none promises anything. */
export function forgettablePauses(
  pauses: readonly Pause[],
  segments: readonly SegmentInfo[],
  ranges: readonly LsnRange[],
): Pause[] {
  const first = firstOfSingleCommits(segments, ranges)
  return pauses.filter(({ toLsn }) => toLsn < first)
}

function firstOfSingleCommits(segments: readonly SegmentInfo[], ranges: readonly LsnRange[]): number {
  const starts = segments.flatMap(({ kind, from }) => (kind === 'log' ? [from] : []))
  return [...starts, ...ranges.map((range) => range.first)].reduce<number>(
    (least, lsn) => Math.min(least, lsn),
    Number.MAX_SAFE_INTEGER,
  )
}
