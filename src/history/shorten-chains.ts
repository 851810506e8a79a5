/**
 * A restore must not become dearer with every backup. Where a chain is too long, or its segments after the base have outgrown the base,
 * a shortcut is added: a synthetic base, or, where the base is large and little changed since, one delta for several.
 */
import { type Arrival, bestArrivals, stepsTo } from './arrivals.ts'
import type { Lsn } from './lsn.ts'
import type { MaintenanceLimits } from './maintenance-limits.ts'
import { intervalOf, mergeOf, type Stretches } from './merge-stretches.ts'
import { mergedSegment } from './merged-segment.ts'
import type { Merge, MergeStep } from './retention.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * @param targets ascending: the states to which chains must stay short
 * @param isLogStart there one more segment is needed, for the commits of the log that starts at it
 */
export function shortenChains(
  segments: readonly SegmentInfo[],
  targets: readonly Lsn[],
  isLogStart: (lsn: Lsn) => boolean,
  limits: MaintenanceLimits,
): Stretches {
  let standing = segments
  const merges: Merge[] = []
  const present = new Set(segments.map(intervalOf))
  let arrivals = bestArrivals(standing, targets, limits.costs)
  for (const target of targets) {
    if (merges.length >= limits.maxShortcuts) break
    const arrival = arrivals.get(target)
    if (arrival === undefined) continue
    const most = isLogStart(target) ? limits.maxChain - 1 : limits.maxChain
    const merge = shortcut(arrival, target, most, limits)
    if (merge === undefined || present.has(intervalOf(merge))) continue
    merges.push(merge)
    present.add(intervalOf(merge))
    standing = [...standing, mergedSegment(merge)]
    arrivals = bestArrivals(standing, targets, limits.costs)
  }
  return { merges, standing }
}

function shortcut(arrival: Arrival, target: Lsn, most: number, limits: MaintenanceLimits): Merge | undefined {
  const { count, bytes, firstBytes: base } = arrival
  const after = bytes - base
  const isDear = after > Math.max(limits.maxGrowth * base, limits.minBytes)
  if (count < 2 || (!isDear && count <= most)) return undefined
  const steps = stepsTo(arrival, target).map(({ segment, upTo }) => ({ segment, from: segment.from, upTo }))
  if (isDear || base <= Math.max(limits.smallBase, after)) return mergeOf(steps.slice(0, limits.maxSteps))
  return mergeOf(cheapestRun(steps.slice(1), Math.min(limits.maxSteps, count - Math.floor(most / 2))))
}

function cheapestRun(steps: readonly MergeStep[], length: number): readonly MergeStep[] {
  let bytes = bytesOf(steps.slice(0, length))
  let best = { start: 0, bytes }
  for (let start = 1; start + length <= steps.length; start += 1) {
    bytes += (steps[start + length - 1]?.segment.bytes ?? 0) - (steps[start - 1]?.segment.bytes ?? 0)
    if (bytes < best.bytes) best = { start, bytes }
  }
  return steps.slice(best.start, best.start + length)
}

function bytesOf(steps: readonly MergeStep[]): number {
  return steps.reduce((sum, { segment }) => sum + segment.bytes, 0)
}
