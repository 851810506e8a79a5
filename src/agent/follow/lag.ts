/** More are not kept apart: the oldest stay, since they tell the lag. */
const mostPending = 1_000

/** How long the oldest commit that is not in the repository has been waiting. */
export class Lag {
  /** Ascending. */
  #pending: { lsn: number; readonly seenAt: number }[] = []

  committed(lsn: number, seenAt: number): void {
    const last = this.#pending.at(-1)
    if (last !== undefined && this.#pending.length >= mostPending) last.lsn = lsn
    else this.#pending.push({ lsn, seenAt })
  }

  uploaded(lsn: number): void {
    const left = this.#pending.findIndex((each) => each.lsn > lsn)
    this.#pending = left < 0 ? [] : this.#pending.slice(left)
  }

  get isNone(): boolean {
    return this.#pending.length === 0
  }

  /** Milliseconds; 0 if nothing waits. */
  at(now: number): number {
    const [oldest] = this.#pending
    return oldest === undefined ? 0 : Math.max(0, now - oldest.seenAt)
  }
}
