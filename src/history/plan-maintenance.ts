import { type Arrival, bestArrivals } from './arrivals.ts'
import { deletionOrder } from './deletion-order.ts'
import { type Lsn, toLsn } from './lsn.ts'
import { limitsOf, type MaintenanceOptions } from './maintenance-limits.ts'
import { mergeStretches } from './merge-stretches.ts'
import { isVirtual, mergedSegment } from './merged-segment.ts'
import { type LsnRange, reachedSegments } from './reachable.ts'
import type { MaintenancePlan, Merge } from './retention.ts'
import type { SegmentInfo } from './segment-info.ts'
import { shortenChains } from './shorten-chains.ts'
import { UnreachableError } from './unreachable-error.ts'
import { usableSegments, voidSegments } from './usable-segments.ts'

/** What must stay reachable. The newest state always does. */
export interface StatesToKeep {
  readonly lsns: Iterable<Lsn>
  /** Here every commit that can be reached now; the logs that hold them stay as they are. */
  readonly ranges: readonly LsnRange[]
  /** Keys of segments that stay whether or not anything needs them. */
  readonly segments?: ReadonlySet<string> | undefined
}

/**
 * The merges and deletions that leave what is to be kept, by chains that are neither long nor dear: logs outside of the ranges become
 * deltas between kept states, long chains get shortcuts, and what nothing needs after that goes, void segments too.
 *
 * @throws UnreachableError if a kept LSN cannot be reached as it is: something is missing, so nothing may be deleted
 */
export function planMaintenance(
  segments: readonly SegmentInfo[],
  { lsns, ranges, segments: chosen = new Set() }: StatesToKeep,
  options: MaintenanceOptions = {},
): MaintenancePlan {
  const limits = limitsOf(options)
  const reached = reachedSegments(segments)
  // With void tails cut off, epochs say no more: parts of the whole can be looked at without their changing their meaning.
  const flat = reached.map(({ segment, upTo }) => ({ ...segment, to: upTo, epoch: 0 }))
  const isWanted = (segment: SegmentInfo) =>
    segment.kind === 'log' && ranges.some(({ first, last }) => first <= segment.to && last > segment.from)
  const points = pointsToKeep(flat, lsns, ranges, isWanted)
  const present = bestArrivals(flat, points, limits.costs)
  for (const point of points) if (!present.has(point)) throw new UnreachableError(point, segments)

  const isGoing = (segment: SegmentInfo) => segment.kind === 'log' && !isWanted(segment)
  const stretches = mergeStretches(flat, points, isGoing, limits)
  const logs = flat.filter(isWanted)
  const logStarts = new Set(logs.map(({ from }) => from))
  const shortened = shortenChains(stretches.standing, points, (lsn) => logStarts.has(lsn), limits)

  const needed = new Set([...chosen, ...logs.map(({ key }) => key)])
  const arrivals = bestArrivals(shortened.standing, points, limits.costs)
  const walked = new Set<Arrival>()
  for (const point of points) {
    const arrival = arrivals.get(point)
    if (arrival === undefined) throw new UnreachableError(point, segments)
    // Ways share their beginnings: what was walked once need not be walked again.
    for (let at: Arrival | undefined = arrival; at?.via !== undefined && !walked.has(at); at = at.from) {
      walked.add(at)
      needed.add(at.via.segment.key)
    }
  }
  const merges = neededMerges([...stretches.merges, ...shortened.merges], needed)
  const oldest = points[0] ?? 0
  const isReached = new Set(reached.map(({ segment }) => segment.key))
  const usable = usableSegments(segments).map(({ segment }) => segment)
  const lost = new Set(usable.filter(({ key, to }) => !isReached.has(key) && to >= oldest))
  const unneeded = usable.filter((segment) => !needed.has(segment.key) && !lost.has(segment))
  unneeded.push(...voidSegments(segments))
  return { merges: asStored(merges, segments), deletions: deletionOrder(segments, unneeded), lost: [...lost] }
}

function pointsToKeep(
  flat: readonly SegmentInfo[],
  lsns: Iterable<Lsn>,
  ranges: readonly LsnRange[],
  isWanted: (segment: SegmentInfo) => boolean,
): Lsn[] {
  const points = [...lsns]
  for (const segment of flat) {
    if (isWanted(segment)) points.push(segment.from)
    else if (segment.kind !== 'log' && ranges.some(({ first, last }) => first <= segment.to && segment.to <= last))
      points.push(segment.to)
  }
  const newest = flat.reduce((most, { to }) => Math.max(most, to), 0)
  return ascending([...points, toLsn(newest)])
}

function ascending(lsns: readonly Lsn[]): Lsn[] {
  return [...new Set(lsns)].filter((lsn) => lsn > 0).sort((a, b) => a - b)
}

/** A merge may turn out not to be on any best chain; one that another needs is made all the same. */
function neededMerges(merges: readonly Merge[], needed: ReadonlySet<string>): Merge[] {
  const wanted = new Set(needed)
  const chosen = merges.toReversed().filter((merge) => {
    if (!wanted.has(mergedSegment(merge).key)) return false
    for (const { segment } of merge.steps) if (isVirtual(segment)) wanted.add(segment.key)
    return true
  })
  return chosen.reverse()
}

/** With the segments as they were given, and the epochs that follow from them. */
function asStored(merges: readonly Merge[], segments: readonly SegmentInfo[]): Merge[] {
  const byKey = new Map(segments.map((segment) => [segment.key, segment]))
  return merges.map((merge) => {
    const steps = merge.steps.map((step) => ({ ...step, segment: byKey.get(step.segment.key) ?? step.segment }))
    const stored = { ...merge, steps }
    const made = mergedSegment(stored)
    byKey.set(made.key, made)
    return stored
  })
}
