/**
 * Merging small logs into larger ones. A merged log holds the same commits, so nothing is lost; there are only fewer objects to list,
 * open and fetch. Every merge at least multiplies the size of what it rewrites, so a byte is rewritten only a few times in its life.
 */
import type { SegmentInfo } from './segment-info.ts'
import { usableSegments } from './usable-segments.ts'
import type { GapRecord } from './windows.ts'

export interface RollUpOptions {
  /** A merged log is at most about this large, in bytes; default 32 MiB. Logs of half of it and more stay as they are. */
  readonly maxBytes?: number | undefined
  /** And has at most so many commits; default 100,000. */
  readonly maxCommits?: number | undefined
  /** Fewer neighbours than this are not worth a merge; default 8. */
  readonly minSegments?: number | undefined
  /** A merge must be so many times as large as the largest log in it; default 3. */
  readonly growth?: number | undefined
}

export interface RollUpPlan {
  /** Runs of neighbouring logs, oldest first, each to become one log. */
  readonly merges: readonly (readonly SegmentInfo[])[]
  /** Logs that a larger one covers, left by an interrupted merge: they can go once that one is proved to hold them. */
  readonly covered: readonly { readonly segment: SegmentInfo; readonly by: SegmentInfo }[]
}

/** Only logs of one epoch, of which nothing is void, are merged with one another, and never across a recorded gap. */
export function planRollUp(
  segments: readonly SegmentInfo[],
  gaps: readonly GapRecord[] = [],
  options: RollUpOptions = {},
): RollUpPlan {
  const limits: Limits = {
    maxBytes: options.maxBytes ?? 32 * 1024 * 1024,
    maxCommits: options.maxCommits ?? 100_000,
    minSegments: Math.max(2, options.minSegments ?? 8),
    growth: options.growth ?? 3,
  }
  const logs = usableSegments(segments).flatMap(({ segment, upTo }) =>
    segment.kind === 'log' && upTo === segment.to ? [segment] : [],
  )
  logs.sort((a, b) => a.epoch - b.epoch || a.from - b.from || b.to - a.to)
  const covered: { segment: SegmentInfo; by: SegmentInfo }[] = []
  const outer: SegmentInfo[] = []
  for (const segment of logs) {
    const last = outer.at(-1)
    if (last !== undefined && last.epoch === segment.epoch && segment.to <= last.to) covered.push({ segment, by: last })
    else outer.push(segment)
  }
  const merges = runsOf(outer, gaps, limits).flatMap((run) => balanced(run, limits))
  return { merges: merges.sort((a, b) => (a[0]?.from ?? 0) - (b[0]?.from ?? 0)), covered }
}

type Limits = { readonly [Key in keyof Required<RollUpOptions>]: number }

/** Cuts the logs where they do not follow one another, where a gap lies, and where a merged one would become too large. */
function runsOf(logs: readonly SegmentInfo[], gaps: readonly GapRecord[], limits: Limits): SegmentInfo[][] {
  const runs: SegmentInfo[][] = []
  let run: SegmentInfo[] = []
  let bytes = 0
  for (const log of logs) {
    const first = run[0]
    const last = run.at(-1)
    const follows = last !== undefined && last.to === log.from && last.epoch === log.epoch
    const fits = first !== undefined && bytes + log.bytes <= limits.maxBytes && log.to - first.from <= limits.maxCommits
    const isLarge = log.bytes * 2 > limits.maxBytes || isGapWithin(gaps, log.from, log.to)
    if (!follows || !fits || isLarge || isGapWithin(gaps, last.from, log.to)) {
      if (run.length > 0) runs.push(run)
      run = []
      bytes = 0
    }
    if (isLarge) continue
    run.push(log)
    bytes += log.bytes
  }
  if (run.length > 0) runs.push(run)
  return runs
}

function isGapWithin(gaps: readonly GapRecord[], from: number, to: number): boolean {
  return gaps.some((gap) => gap.fromLsn < to && gap.toLsn > from)
}

/** The parts of a run that are worth a merge: its largest log is left out until what lies around it has grown enough. */
function balanced(run: readonly SegmentInfo[], limits: Limits): (readonly SegmentInfo[])[] {
  if (run.length < limits.minSegments) return []
  const total = run.reduce((sum, { bytes }) => sum + bytes, 0)
  const largest = run.reduce((index, { bytes }, at) => (bytes > (run[index]?.bytes ?? 0) ? at : index), 0)
  if (total >= limits.growth * (run[largest]?.bytes ?? 0)) return [run]
  return [...balanced(run.slice(0, largest), limits), ...balanced(run.slice(largest + 1), limits)]
}
