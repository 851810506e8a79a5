import { type Lsn, toLsn } from './lsn.ts'
import { knownPoints, type RestorePoint, reachedSegments } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'

/** A maximal stretch of a history in which every commit can be restored. */
export interface Window {
  /** `continuous`: followed commit by commit, so that every moment is known. `point`: a single state, as a one-shot backup leaves. */
  readonly kind: 'continuous' | 'point'
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  /** Milliseconds since 1970, both inclusive. They differ for a point only if the same state was captured more than once. */
  readonly fromTime: number
  readonly toTime: number
}

/** The stretch between two states of which nothing can be restored. Both ends can. */
export interface Gap {
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  readonly fromTime: number
  readonly toTime: number
  readonly reason: string
}

/** A gap that the capture wrote down when it lost continuity: nothing is known of the time between its two states. */
export type GapRecord = Gap

/** Reasons for gaps of which no record exists. */
export const gapReasons = {
  notCaptured: 'no capture between these backups',
  notKept: 'the states between are no longer kept, or cannot be reached',
} as const

export interface RestorableWindows {
  /** Ascending; they do not overlap. */
  readonly windows: readonly Window[]
  /** `gaps[i]` lies between `windows[i]` and `windows[i + 1]`. */
  readonly gaps: readonly Gap[]
}

/** The maximal restorable windows, and the gaps between them with their reasons. */
export function restorableWindows(
  segments: readonly SegmentInfo[],
  records: readonly GapRecord[] = [],
): RestorableWindows {
  const points = knownPoints(segments)
  const stretches = [...pointStretches(points), ...logStretches(segments, points)]
  const windows = joinSharing(stretches)
    .flatMap((stretch) => splitAt(stretch, records))
    .map(toWindow)
  const gaps = windows.slice(1).map((next, i) => gapBetween(windows[i] ?? next, next, records))
  return { windows, gaps }
}

type Stretch = Omit<Window, 'kind'>

function pointStretches(points: readonly RestorePoint[]): Stretch[] {
  return points.map(({ lsn, time }) => ({ fromLsn: lsn, toLsn: lsn, fromTime: time, toTime: time }))
}

/** A log proves that its first commit directly follows the state at its start, so it also covers the time from there on. */
function logStretches(segments: readonly SegmentInfo[], points: readonly RestorePoint[]): Stretch[] {
  const firstTimes = new Map<number, number>()
  const lastTimes = new Map<number, number>()
  for (const { lsn, time } of points) {
    if (!firstTimes.has(lsn)) firstTimes.set(lsn, time)
    lastTimes.set(lsn, time)
  }
  return reachedSegments(segments).flatMap(({ segment, upTo }) => {
    if (segment.kind !== 'log') return []
    const fromLsn = segment.from === 0 ? toLsn(1) : segment.from
    const fromTime = Math.min(lastTimes.get(segment.from) ?? segment.firstTime, segment.firstTime)
    // Where the tail is void, the time of the last commit that counts is known only if another segment ends there too.
    const toTime =
      upTo === segment.to ? segment.lastTime : Math.max(firstTimes.get(upTo) ?? segment.firstTime, fromTime)
    return [{ fromLsn, toLsn: upTo, fromTime, toTime }]
  })
}

/** Joins stretches that share a state. Neighbours such as 1–4 and 5–9 share none: nothing says that 5 directly followed 4. */
function joinSharing(stretches: Stretch[]): Stretch[] {
  stretches.sort((a, b) => a.fromLsn - b.fromLsn || b.toLsn - a.toLsn)
  const joined: Stretch[] = []
  for (const next of stretches) {
    const last = joined.at(-1)
    if (last === undefined || next.fromLsn > last.toLsn) {
      joined.push(next)
      continue
    }
    joined[joined.length - 1] = {
      fromLsn: last.fromLsn,
      toLsn: toLsn(Math.max(next.toLsn, last.toLsn)),
      fromTime: Math.min(last.fromTime, next.fromTime),
      toTime: Math.max(last.toTime, next.toTime),
    }
  }
  return joined
}

/** A merged log may span a recorded gap: what was lost there stays lost. */
function splitAt(stretch: Stretch, records: readonly GapRecord[]): Stretch[] {
  const inside = records.filter(
    (gap) => gap.fromLsn < gap.toLsn && gap.fromLsn >= stretch.fromLsn && gap.toLsn <= stretch.toLsn,
  )
  inside.sort((a, b) => a.fromLsn - b.fromLsn || a.toLsn - b.toLsn)
  const parts: Stretch[] = []
  let rest = stretch
  for (const gap of inside) {
    if (gap.fromLsn < rest.fromLsn) continue
    parts.push({ ...rest, toLsn: gap.fromLsn, toTime: gap.fromTime })
    rest = { ...rest, fromLsn: gap.toLsn, fromTime: gap.toTime }
  }
  return [...parts, rest]
}

function toWindow(stretch: Stretch): Window {
  return { kind: stretch.fromLsn === stretch.toLsn ? 'point' : 'continuous', ...stretch }
}

function gapBetween(before: Window, after: Window, records: readonly GapRecord[]): Gap {
  const { toLsn: fromLsn, toTime: fromTime } = before
  const { fromLsn: toLsn, fromTime: toTime } = after
  const recorded = records.filter((gap) => gap.fromLsn >= fromLsn && gap.toLsn <= toLsn)
  const reasons = recorded.map(({ reason }) => reason)
  // Records that leave out a part of it do not tell why that part is gone.
  if (!isCovered(fromLsn, toLsn, recorded))
    reasons.push(toLsn === fromLsn + 1 ? gapReasons.notCaptured : gapReasons.notKept)
  return { fromLsn, toLsn, fromTime, toTime, reason: [...new Set(reasons)].join('; ') }
}

/** Whether the records, one after the other, lead from one state to the other. */
function isCovered(fromLsn: Lsn, toLsn: Lsn, records: readonly GapRecord[]): boolean {
  let reached: number = fromLsn
  for (const gap of records.toSorted((a, b) => a.fromLsn - b.fromLsn)) {
    if (gap.fromLsn > reached) return false
    reached = Math.max(reached, gap.toLsn)
  }
  return reached >= toLsn
}
