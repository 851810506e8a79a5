import { type Lsn, zeroLsn } from './lsn.ts'
import { MinHeap } from './min-heap.ts'
import type { SegmentInfo } from './segment-info.ts'
import { UnreachableError } from './unreachable-error.ts'
import { type UsableSegment, usableSegments } from './usable-segments.ts'

export { UnreachableError } from './unreachable-error.ts'

/** One segment to apply, up to an LSN: its end, or for a log any commit inside. The next step's segment starts there. */
export interface PlanStep {
  readonly segment: SegmentInfo
  readonly upTo: Lsn
}

export interface Plan {
  readonly target: Lsn
  /** In order of application, from LSN 0 on. Empty for target 0. */
  readonly steps: readonly PlanStep[]
  /** In bytes: those of the segments, plus the costs' `requestBytes` for each. */
  readonly cost: number
}

export interface PlanCosts {
  /** What fetching one more segment costs, in bytes that could be fetched in that time. */
  readonly requestBytes: number
}

/** A request to object storage takes about as long as fetching a mebibyte. */
export const defaultPlanCosts: PlanCosts = { requestBytes: 1024 * 1024 }

/**
 * The cheapest chain of segments from 0 to the target. A log that is left early costs as much as all of it: an upper bound, since how
 * its bytes spread over its commits is not known from its name. Among equally cheap chains the one with fewer steps is taken,
 * then the one that ends in the newer segment. The order of `segments` does not matter.
 *
 * Takes O(n log n) for n segments: since all lead forward, one sweep over their starts suffices.
 * @throws UnreachableError if no chain leads to the target
 */
export function planRestore(segments: readonly SegmentInfo[], target: Lsn, costs: PlanCosts = defaultPlanCosts): Plan {
  const arrivals = new Map<number, Arrival>()
  /** Logs on the way: each arrives at every LSN up to its end. */
  const logs = new MinHeap<Arrival>(compareArrivals)
  const origin: Arrival = { cost: 0, count: 0, via: undefined, from: undefined }

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

  const departures = usableSegments(segments).filter(({ segment }) => segment.from < target)
  for (let i = 0; i < departures.length; ) {
    const at = departures[i]?.segment.from ?? zeroLsn
    const best = bestAt(at)
    for (; departures[i]?.segment.from === at; i++) {
      const via = departures[i]
      if (best === undefined || via === undefined) continue
      const arrival = {
        cost: best.cost + via.segment.bytes + costs.requestBytes,
        count: best.count + 1,
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

  const best = bestAt(target)
  if (best === undefined) throw new UnreachableError(target, segments)
  return { target, steps: stepsTo(best, target), cost: best.cost }
}

/** The best known way to an LSN: its last segment, and the way to that segment's start. */
interface Arrival {
  readonly cost: number
  readonly count: number
  readonly via: UsableSegment | undefined
  readonly from: Arrival | undefined
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

function stepsTo(arrival: Arrival, target: Lsn): PlanStep[] {
  const steps: PlanStep[] = []
  let upTo = target
  for (let at: Arrival | undefined = arrival; at?.via !== undefined; at = at.from) {
    steps.push({ segment: at.via.segment, upTo })
    upTo = at.via.segment.from
  }
  return steps.reverse()
}
