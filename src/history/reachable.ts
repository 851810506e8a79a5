import type { Lsn } from './lsn.ts'
import { toLsn } from './lsn.ts'
import type { SegmentInfo } from './segment-info.ts'
import { type UsableSegment, usableSegments } from './usable-segments.ts'

/** A state that can be restored, and when Holdfast saw it. */
export interface RestorePoint {
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
}

/** LSNs from `first` to `last`, both inclusive. */
export interface LsnRange {
  readonly first: Lsn
  readonly last: Lsn
}

/** The segments whose start can be reached from 0, ascending by `from`: exactly these take part in some restore. */
export function reachedSegments(segments: readonly SegmentInfo[]): UsableSegment[] {
  const points = new Set<number>([0])
  // Every reached log so far starts before the present start, or at it, which then is reached anyway. So the furthest end tells.
  let logsReach = -1
  return usableSegments(segments).filter(({ segment, upTo }) => {
    if (!points.has(segment.from) && segment.from > logsReach) return false
    if (segment.kind === 'log') logsReach = Math.max(logsReach, upTo)
    points.add(upTo)
    return true
  })
}

/** What lies in ranges of the one and of the other. */
export function inBoth(some: readonly LsnRange[], others: readonly LsnRange[]): LsnRange[] {
  return some.flatMap((a) =>
    others.flatMap((b) => {
      const first = a.first > b.first ? a.first : b.first
      const last = a.last < b.last ? a.last : b.last
      return first <= last ? [{ first, last }] : []
    }),
  )
}

/** Every LSN that can be restored, as ascending ranges that neither overlap nor touch. The empty state 0 is left out. */
export function reachableLsns(segments: readonly SegmentInfo[]): LsnRange[] {
  const ranges = reachedSegments(segments).map(({ segment, upTo }) => ({
    first: segment.kind === 'log' ? toLsn(segment.from + 1) : upTo,
    last: upTo,
  }))
  ranges.sort((a, b) => a.first - b.first)
  const merged: LsnRange[] = []
  for (const { first, last } of ranges) {
    const previous = merged.at(-1)
    if (previous === undefined || first > previous.last + 1) merged.push({ first, last })
    else if (last > previous.last) merged[merged.length - 1] = { first: previous.first, last }
  }
  return merged
}

export function isReachable(ranges: readonly LsnRange[], lsn: Lsn): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range === undefined || range.last >= lsn) high = middle
    else low = middle + 1
  }
  const range = ranges[low]
  return range !== undefined && range.first <= lsn
}

/**
 * The restorable states whose time is known from segment names alone, by LSN, then time: the end of every segment, and the first
 * commit of every log. A state that was captured more than once stands there once for each time.
 */
export function knownPoints(segments: readonly SegmentInfo[]): RestorePoint[] {
  const points: RestorePoint[] = []
  for (const { segment, upTo } of reachedSegments(segments)) {
    if (upTo === segment.to) points.push({ lsn: upTo, time: segment.lastTime })
    if (segment.kind === 'log') points.push({ lsn: toLsn(segment.from + 1), time: segment.firstTime })
  }
  points.sort((a, b) => a.lsn - b.lsn || a.time - b.time)
  return points.filter(({ lsn, time }, i) => lsn !== points[i - 1]?.lsn || time !== points[i - 1]?.time)
}

/** The newest state that can be restored, or undefined if there is none. */
export function latestPoint(segments: readonly SegmentInfo[]): RestorePoint | undefined {
  return knownPoints(segments).at(-1)
}
