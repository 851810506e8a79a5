/**
 * The best way to each of many LSNs, in one sweep over the segments. All lead forward, so a sweep over their starts suffices:
 * O(n log n) for n segments and targets.
 */
import { type Lsn, zeroLsn } from './lsn.ts'
import { MinHeap } from './min-heap.ts'
import type { PlanCosts, PlanStep } from './plan.ts'
import type { SegmentInfo } from './segment-info.ts'
import { type UsableSegment, usableSegments } from './usable-segments.ts'

/** The best known way to an LSN: its last segment, and the way to that segment's start. */
export interface Arrival {
  readonly cost: number
  /** Segments on the way. */
  readonly count: number
  /** Bytes of all of them, and of the first. */
  readonly bytes: number
  readonly firstBytes: number
  readonly via: UsableSegment | undefined
  readonly from: Arrival | undefined
}

/** By target; one that cannot be reached is left out. Among equally cheap ways the one with fewer steps, then the newer one. */
export function bestArrivals(
  segments: readonly SegmentInfo[],
  targets: Iterable<Lsn>,
  costs: PlanCosts,
): Map<Lsn, Arrival> {
  const wanted = [...new Set(targets)].sort((a, b) => a - b)
  const furthest = wanted.at(-1) ?? zeroLsn
  const arrivals = new Map<number, Arrival>()
  /** Logs on the way: each arrives at every LSN up to its end. */
  const logs = new MinHeap<Arrival>(compareArrivals)
  const origin: Arrival = { cost: 0, count: 0, bytes: 0, firstBytes: 0, via: undefined, from: undefined }

  /** Asked for in ascending order: logs that end before are forgotten. */
  const bestAt = (lsn: Lsn): Arrival | undefined => {
    if (lsn === zeroLsn) return origin
    let log = logs.smallest
    while (log?.via !== undefined && log.via.upTo < lsn) {
      logs.removeSmallest()
      log = logs.smallest
    }
    const exact = arrivals.get(lsn)
    if (log === undefined || exact === undefined) return log ?? exact
    return compareArrivals(log, exact) < 0 ? log : exact
  }

  const found = new Map<Lsn, Arrival>()
  let next = 0
  const settle = (before: number): void => {
    for (let target = wanted[next]; target !== undefined && target <= before; target = wanted[++next]) {
      const best = bestAt(target)
      if (best !== undefined) found.set(target, best)
    }
  }

  const departures = usableSegments(segments).filter(({ segment }) => segment.from < furthest)
  for (let i = 0; i < departures.length; ) {
    const at = departures[i]?.segment.from ?? zeroLsn
    // Whatever starts from here on leads beyond.
    settle(at)
    const best = bestAt(at)
    for (; departures[i]?.segment.from === at; i++) {
      const via = departures[i]
      if (best === undefined || via === undefined) continue
      const arrival = {
        cost: best.cost + via.segment.bytes + costs.requestBytes,
        count: best.count + 1,
        bytes: best.bytes + via.segment.bytes,
        firstBytes: best.via === undefined ? via.segment.bytes : best.firstBytes,
        via,
        from: best,
      }
      if (via.segment.kind === 'log') {
        logs.add(arrival)
        continue
      }
      const former = arrivals.get(via.upTo)
      if (former === undefined || compareArrivals(arrival, former) < 0) arrivals.set(via.upTo, arrival)
    }
  }
  settle(furthest)
  return found
}

export function stepsTo(arrival: Arrival, target: Lsn): PlanStep[] {
  const steps: PlanStep[] = []
  let upTo = target
  for (let at: Arrival | undefined = arrival; at?.via !== undefined; at = at.from) {
    steps.push({ segment: at.via.segment, upTo })
    upTo = at.via.segment.from
  }
  return steps.reverse()
}

function compareArrivals(a: Arrival, b: Arrival): number {
  return a.cost - b.cost || a.count - b.count || compareNewerFirst(a.via?.segment, b.via?.segment)
}

function compareNewerFirst(a: SegmentInfo | undefined, b: SegmentInfo | undefined): number {
  if (a === undefined || b === undefined) return 0
  const byAge =
    b.epoch - a.epoch || b.lastTime - a.lastTime || b.firstTime - a.firstTime || b.from - a.from || b.to - a.to
  if (byAge !== 0) return byAge
  return a.key === b.key ? 0 : a.key < b.key ? 1 : -1
}
