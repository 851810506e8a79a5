import { type Lsn, toLsn } from './lsn.ts'
import { type Pause, pauseAt } from './pause.ts'
import { isReachable, knownPoints, type RestorePoint, reachableLsns, reachedSegments } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'
import type { GapRecord } from './windows.ts'

/** Which state a moment, or an LSN, means. Never silently an earlier one. */
export type Resolution =
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  /** One of this log's commits up to LSN `upTo`; `commitAt` finds it in the log's commit table. */
  | { readonly kind: 'within-log'; readonly segment: SegmentInfo; readonly upTo: Lsn }
  /** Between two restorable states; what the database held at that moment is not known. */
  | { readonly kind: 'between'; readonly before: RestorePoint; readonly after: RestorePoint }
  /** Before the first restorable state (`after` is that one), after the last (`before` is), or there is none at all. */
  | {
      readonly kind: 'unreachable'
      readonly before: RestorePoint | undefined
      readonly after: RestorePoint | undefined
    }

export interface ResolveOptions {
  /**
   * Take the newest restorable state before the moment or LSN, rather than the state at it; default false. Who asks so accepts an
   * earlier state, so this is never `between`. Commits seen at the moment's own millisecond do not count as before it.
   */
  readonly before?: boolean | undefined
  /** Recorded gaps: a moment inside one is between its two states, even if a merged log spans it. */
  readonly gaps?: readonly GapRecord[] | undefined
  /** Likewise: commits were made then, and when each was made is not known. */
  readonly pauses?: readonly Pause[] | undefined
}

/**
 * What the file held at a moment, as far as known. At the very time of a restorable state it is that state, the newest if several
 * were seen then; within or between connected logs it is the newest commit up to the moment.
 * @param time milliseconds since 1970
 */
export function resolveTime(
  segments: readonly SegmentInfo[],
  time: number,
  { before = false, gaps = [], pauses = [] }: ResolveOptions = {},
): Resolution {
  const points = knownPoints(segments)
  const unknown = gaps.find(({ fromTime, toTime }) => fromTime < time && time < toTime) ?? pauseAt(pauses, time)
  if (unknown !== undefined) {
    const around = aroundUnknown(segments, points, unknown)
    return before ? known(around) : around
  }

  const logs = logSpans(segments, points)
  const isCovered = before
    ? (span: LogSpan) => span.segment.firstTime < time && time <= span.endTime
    : (span: LogSpan) => span.segment.firstTime <= time && time < span.endTime
  const covering = logs.filter(isCovered).sort(smallestFirst)[0]
  if (covering !== undefined) return { kind: 'within-log', segment: covering.segment, upTo: covering.upTo }

  const index = points.findLastIndex((point) => (before ? point.time < time : point.time <= time))
  const earlier = points[index]
  const later = points[index + 1]
  if (before) return known(around(earlier, later))
  if (earlier?.time === time) return { kind: 'lsn', lsn: earlier.lsn }
  const isFollowed = earlier?.lsn !== later?.lsn && logs.some(({ segment }) => segment.from === earlier?.lsn)
  return earlier !== undefined && isFollowed ? { kind: 'lsn', lsn: earlier.lsn } : around(earlier, later)
}

/** An LSN as a target; with `before`, the greatest restorable LSN before it. */
export function resolveLsn(
  segments: readonly SegmentInfo[],
  lsn: Lsn,
  { before = false }: ResolveOptions = {},
): Resolution {
  const reachable = reachableLsns(segments)
  const nearest = reachable.findLast(({ first }) => (before ? first < lsn : first <= lsn))
  if (before && nearest !== undefined) return { kind: 'lsn', lsn: nearest.last < lsn ? nearest.last : toLsn(lsn - 1) }
  if (nearest !== undefined && lsn <= nearest.last) return { kind: 'lsn', lsn }
  const points = knownPoints(segments)
  return around(
    points.findLast((point) => point.lsn < lsn),
    points.find((point) => (before ? point.lsn >= lsn : point.lsn > lsn)),
  )
}

function around(before: RestorePoint | undefined, after: RestorePoint | undefined): Resolution {
  return before !== undefined && after !== undefined
    ? { kind: 'between', before, after }
    : { kind: 'unreachable', before, after }
}

/** The earlier of the states around, for who asked for it. */
function known(resolution: Resolution): Resolution {
  const isAround = resolution.kind === 'between' || resolution.kind === 'unreachable'
  return isAround && resolution.before !== undefined ? { kind: 'lsn', lsn: resolution.before.lsn } : resolution
}

/**
 * The commit that a `within-log` resolution means: the last one of `commits` (ascending) up to `upTo` that was seen at or before the moment,
 * or before it. Undefined if there is none, which the log's own name rules out.
 */
export function commitAt<Commit extends { readonly lsn: Lsn; readonly time: number }>(
  commits: readonly Commit[],
  time: number,
  upTo: Lsn,
  { before = false }: ResolveOptions = {},
): Commit | undefined {
  return commits.findLast((commit) => commit.lsn <= upTo && (before ? commit.time < time : commit.time <= time))
}

interface LogSpan {
  readonly segment: SegmentInfo
  readonly upTo: Lsn
  /** From `firstTime` to this moment, the state is one of the log's own commits. */
  readonly endTime: number
}

function logSpans(segments: readonly SegmentInfo[], points: readonly RestorePoint[]): LogSpan[] {
  const logs = reachedSegments(segments).filter(({ segment }) => segment.kind === 'log')
  return logs.map(({ segment, upTo }) => {
    if (upTo === segment.to) return { segment, upTo, endTime: segment.lastTime }
    // The void tail hides when the last commit that counts was seen. Another segment that ends there knows; one that goes on
    // from there at least tells until when that commit was the state. Otherwise only the very first moment is certain.
    const known = points.find(({ lsn }) => lsn === upTo)?.time
    const followed = logs.find((other) => other.segment.from === upTo)?.segment.firstTime
    return { segment, upTo, endTime: known ?? followed ?? segment.firstTime + 1 }
  })
}

/** Any log that covers the moment has the commit; the smallest is the cheapest to ask. */
function smallestFirst(a: LogSpan, b: LogSpan): number {
  return (
    a.segment.bytes - b.segment.bytes || b.segment.from - a.segment.from || (a.segment.key < b.segment.key ? -1 : 1)
  )
}

function aroundUnknown(segments: readonly SegmentInfo[], points: readonly RestorePoint[], unknown: Pause): Resolution {
  const reachable = reachableLsns(segments)
  const before = isReachable(reachable, unknown.fromLsn)
    ? { lsn: unknown.fromLsn, time: unknown.fromTime }
    : points.findLast(({ lsn }) => lsn < unknown.fromLsn)
  const after = isReachable(reachable, unknown.toLsn)
    ? { lsn: unknown.toLsn, time: unknown.toTime }
    : points.find(({ lsn }) => lsn > unknown.toLsn)
  return around(before, after)
}
