import type { VerificationEntry } from '../repository/verification-ledger.ts'

/** How much of the work this run does: what was checked longest ago comes first, what was never checked before all. */
export class VerifyBudget {
  readonly #subset: number
  readonly #deadline: number

  constructor(subset: number, maxDurationMs: number | undefined, startedAt: number) {
    this.#subset = subset
    this.#deadline = maxDurationMs === undefined ? Number.POSITIVE_INFINITY : startedAt + maxDurationMs
  }

  choose<T>(items: readonly T[], lastCheck: (item: T) => VerificationEntry | undefined): T[] {
    const byAge = items.map((item) => ({ item, checkedAt: lastCheck(item)?.checkedAt ?? '' }))
    byAge.sort((a, b) => (a.checkedAt < b.checkedAt ? -1 : a.checkedAt > b.checkedAt ? 1 : 0))
    return byAge.slice(0, partOf(items.length, this.#subset)).map(({ item }) => item)
  }

  /** Whether another object may be begun. */
  get timeLeft(): boolean {
    return Date.now() < this.#deadline
  }
}

/** Rounded up, so that anything is checked at all; 7 % of 100 are 7, though 100 × 0.07 is a little more. */
function partOf(count: number, part: number): number {
  return Math.ceil(count * part - 1e-9)
}
