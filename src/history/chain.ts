import type { PlanStep } from './plan.ts'
import { emptyState, formatState, type StateChecksum } from './state-checksum.ts'

/** A step with what its segment says of itself. */
export interface ChainLink extends PlanStep {
  /** State at the segment's `from`. */
  readonly startState: StateChecksum
  /** State at `upTo`: the segment's end state, or that of the commit at which a log is left. */
  readonly endState: StateChecksum
}

/** The first place where a chain does not hold. */
export interface ChainBreak {
  /** Index of the link that does not follow from the one before it. */
  readonly index: number
  /** Undefined if the first link does not start from nothing. */
  readonly previous: ChainLink | undefined
  readonly link: ChainLink
  /** `interval`: it does not start at the LSN where the one before it ends. `state`: it starts at another state. */
  readonly reason: 'interval' | 'state'
  readonly message: string
}

/**
 * Segment B follows segment A only if it starts at the LSN and at the state where A ends; the first starts at LSN 0 and the empty
 * state. Returns the first break, or undefined if the chain holds.
 */
export function checkChain(links: readonly ChainLink[]): ChainBreak | undefined {
  let previous: ChainLink | undefined
  for (const [index, link] of links.entries()) {
    const at = previous?.upTo ?? 0
    const state = previous?.endState ?? emptyState
    const place = previous === undefined ? 'the empty state' : `the end of ${previous.segment.key}`
    if (link.segment.from !== at) {
      const message = `${link.segment.key} starts at LSN ${link.segment.from}, but ${place} is LSN ${at}.`
      return { index, previous, link, reason: 'interval', message }
    }
    if (link.startState !== state) {
      const message = `${link.segment.key} starts at state ${formatState(link.startState)}, but ${place} is ${formatState(state)}.`
      return { index, previous, link, reason: 'state', message }
    }
    previous = link
  }
  return undefined
}
