import { bestArrivals, stepsTo } from './arrivals.ts'
import type { Lsn } from './lsn.ts'
import type { SegmentInfo } from './segment-info.ts'
import { UnreachableError } from './unreachable-error.ts'

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
 * Takes O(n log n) for n segments.
 * @throws UnreachableError if no chain leads to the target
 */
export function planRestore(segments: readonly SegmentInfo[], target: Lsn, costs: PlanCosts = defaultPlanCosts): Plan {
  const best = bestArrivals(segments, [target], costs).get(target)
  if (best === undefined) throw new UnreachableError(target, segments)
  return { target, steps: stepsTo(best, target), cost: best.cost }
}
