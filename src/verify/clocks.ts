/** Told apart, since a clock on the wall can be put right in the middle of a run. Both in milliseconds. */
export interface Clocks {
  /** Since 1970: what is dated by it. */
  readonly now: () => number
  /** Since some moment, and never put back or forward: how long something takes. */
  readonly monotonic: () => number
}

export const systemClocks: Clocks = { now: () => Date.now(), monotonic: () => performance.now() }
