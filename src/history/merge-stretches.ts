/**
 * Between two neighbouring states that are kept, only what leads from one to the other is needed. So logs that nobody wants commit by
 * commit any more become deltas between kept states, and deltas to states that are not kept any more become one.
 */
import { type Arrival, bestArrivals } from './arrivals.ts'
import { type Lsn, toLsn } from './lsn.ts'
import type { MaintenanceLimits } from './maintenance-limits.ts'
import { mergedSegment, stepBytes } from './merged-segment.ts'
import type { Merge, MergeStep } from './retention.ts'
import type { SegmentInfo } from './segment-info.ts'

export interface Stretches {
  readonly merges: readonly Merge[]
  /** What is there after the merges, without the logs that are to go. */
  readonly standing: readonly SegmentInfo[]
}

/**
 * @param segments none void
 * @param points what must stay reachable, ascending
 * @param isGoing the logs whose commits are not wanted one by one
 */
export function mergeStretches(
  segments: readonly SegmentInfo[],
  points: readonly Lsn[],
  isGoing: (segment: SegmentInfo) => boolean,
  limits: MaintenanceLimits,
): Stretches {
  let standing = segments.filter((segment) => !isGoing(segment))
  const merges: Merge[] = []
  const add = (targets: readonly Lsn[], among: readonly SegmentInfo[]): void => {
    const present = new Set(standing.map(intervalOf))
    const found = mergesTowards(targets, points, among, isGoing, limits).filter(
      (merge) => !present.has(intervalOf(merge)),
    )
    merges.push(...found)
    standing = [...standing, ...found.map(mergedSegment)]
  }
  const reached = bestArrivals(standing, points, limits.costs)
  add(
    points.filter((point) => !reached.has(point)),
    segments,
  )
  add(points, standing)
  return { merges, standing }
}

/** Two segments of one kind over one interval hold the same. */
export function intervalOf({ kind, from, to }: Pick<SegmentInfo, 'kind' | 'from' | 'to'>): string {
  return `${kind} ${from}-${to}`
}

function mergesTowards(
  targets: readonly Lsn[],
  points: readonly Lsn[],
  segments: readonly SegmentInfo[],
  isGoing: (segment: SegmentInfo) => boolean,
  limits: MaintenanceLimits,
): Merge[] {
  const arrivals = bestArrivals(segments, targets, limits.costs)
  const stretches = targets.flatMap((target) => {
    const arrival = arrivals.get(target)
    return arrival === undefined ? [] : [stretchTo(arrival, target, points, isGoing)]
  })
  const uses = new Map<string, number>()
  for (const step of stretches.flat()) uses.set(nameOf(step), (uses.get(nameOf(step)) ?? 0) + 1)
  const merges = new Map<string, Merge>()
  for (const part of stretches.flatMap((steps) => splitWhereShared(steps, uses))) {
    for (const run of worthwhile(part, isGoing, limits)) {
      const merge = mergeOf(run)
      if (merge !== undefined) merges.set(`${merge.from}-${merge.to}`, merge)
    }
  }
  return [...merges.values()].sort((a, b) => a.to - b.to || a.from - b.from)
}

/** The end of a chain, since the last state on it that is reached anyway. */
function stretchTo(
  arrival: Arrival,
  target: Lsn,
  points: readonly Lsn[],
  isGoing: (segment: SegmentInfo) => boolean,
): MergeStep[] {
  const stretch: MergeStep[] = []
  let upTo = target
  for (let at: Arrival | undefined = arrival; at?.via !== undefined; at = at.from) {
    const { segment } = at.via
    const staysAnyway = segment.kind === 'base' || (segment.kind === 'log' && !isGoing(segment))
    if (staysAnyway && stretch.length > 0) break
    const stop = lastBefore(points, upTo) ?? -1
    const from = segment.kind === 'log' ? toLsn(Math.max(stop, segment.from)) : segment.from
    stretch.push({ segment, from, upTo })
    if (from === stop || staysAnyway) break
    upTo = segment.from
  }
  return stretch.reverse()
}

/** @param points ascending */
function lastBefore(points: readonly Lsn[], lsn: Lsn): Lsn | undefined {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle] ?? 0) < lsn) low = middle + 1
    else high = middle
  }
  return points[low - 1]
}

/** What several stretches share is merged for itself, so that it is not written several times. */
function splitWhereShared(steps: readonly MergeStep[], uses: ReadonlyMap<string, number>): MergeStep[][] {
  const parts: MergeStep[][] = []
  let wasShared: boolean | undefined
  for (const step of steps) {
    const isShared = (uses.get(nameOf(step)) ?? 0) > 1
    const last = parts.at(-1)
    if (last === undefined || isShared !== wasShared) parts.push([step])
    else last.push(step)
    wasShared = isShared
  }
  return parts
}

function nameOf({ segment, from, upTo }: MergeStep): string {
  return `${segment.key} ${from}-${upTo}`
}

/** The largest is left out until what lies around it has grown enough; a log that is to go must be replaced in any case. */
function worthwhile(
  run: readonly MergeStep[],
  isGoing: (segment: SegmentInfo) => boolean,
  limits: MaintenanceLimits,
): (readonly MergeStep[])[] {
  const [only] = run
  if (only === undefined) return []
  if (run.length === 1) return isGoing(only.segment) ? [run] : []
  const sizes = run.map(stepBytes)
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
  const largest = sizes.reduce((index, bytes, at) => (bytes > (sizes[index] ?? 0) ? at : index), 0)
  if (total >= limits.worth * (sizes[largest] ?? 0)) return chunks(run, limits.maxSteps)
  return [run.slice(0, largest), run.slice(largest, largest + 1), run.slice(largest + 1)].flatMap((part) =>
    worthwhile(part, isGoing, limits),
  )
}

function chunks<T>(items: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

export function mergeOf(steps: readonly MergeStep[]): Merge | undefined {
  const from = steps[0]?.from
  const to = steps.at(-1)?.upTo
  if (from === undefined || to === undefined) return undefined
  return { kind: from === 0 ? 'base' : 'delta', from, to, steps }
}
