import { compareKeys } from '../keys.ts'
import type { ObjectInfo } from '../storage.ts'

interface Change {
  readonly key: string
  /** What the key held before; undefined if nothing. */
  readonly before: ObjectInfo | undefined
  /** Number of operations begun when it changed. */
  readonly at: number
}

/** Listings of a storage that shows changes late. */
export class ListLag {
  readonly #lag: number
  #changes: Change[] = []

  /** @param lag for how many operations after it a change stays unseen */
  constructor(lag: number) {
    this.#lag = lag
  }

  get enabled(): boolean {
    return this.#lag > 0
  }

  note(key: string, before: ObjectInfo | undefined, at: number): void {
    this.#changes.push({ key, before, at })
  }

  /** The listing as it was `lag` operations ago, `now` being the number of operations begun. */
  async *apply(
    listing: AsyncIterable<ObjectInfo>,
    prefix: string,
    now: number,
  ): AsyncGenerator<ObjectInfo, void, undefined> {
    this.#changes = this.#changes.filter((change) => now - change.at <= this.#lag)
    if (this.#changes.length === 0) {
      yield* listing
      return
    }
    const seen = new Map<string, ObjectInfo>()
    for await (const info of listing) seen.set(info.key, info)
    // From the newest change back to the oldest, so that the oldest has the last word.
    for (const { key, before } of this.#changes.toReversed()) {
      if (!key.startsWith(prefix)) continue
      if (before === undefined) seen.delete(key)
      else seen.set(key, before)
    }
    yield* [...seen.values()].sort((left, right) => compareKeys(left.key, right.key))
  }
}
