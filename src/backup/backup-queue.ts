import { abortable, throwIfAborted } from '../util/abort.ts'

/**
 * Waits for something without the place that the work has, so that others have their turn meanwhile; then takes the next place that is free.
 * Its key stays taken. One wait at a time; after one that failed, the work has no place any more.
 * @param signal gives up the place in the line that it comes back to
 */
export type StepAside = <T>(wait: () => Promise<T>, signal?: AbortSignal) => Promise<T>

/**
 * Runs work one at a time for each key, and at most `limit` of it at once over all keys, in the order in which it came.
 * What waits for its key takes no place from others.
 */
export class BackupQueue {
  readonly #limit: number
  readonly #last = new Map<string, Promise<void>>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @throws ABORTED if the signal fires before the work begins, and what the work throws */
  async run<T>(key: string, work: (aside: StepAside) => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const former = this.#last.get(key) ?? Promise.resolve()
    // Who gives up keeps its place in the line, so that nobody overtakes the one before.
    const mine = former.then(() => ended)
    this.#last.set(key, mine)
    try {
      await abortable(former, signal)
      return await this.#withPlace(work, signal)
    } finally {
      end()
      void mine.then(() => {
        if (this.#last.get(key) === mine) this.#last.delete(key)
      })
    }
  }

  /** Resolves when everything that was asked for has ended. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }

  async #withPlace<T>(work: (aside: StepAside) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    await this.#enter(signal)
    let hasPlace = true
    const aside: StepAside = async (wait, until) => {
      hasPlace = false
      this.#leave()
      const result = await wait()
      await this.#enter(until)
      hasPlace = true
      return result
    }
    try {
      throwIfAborted(signal)
      return await work(aside)
    } finally {
      if (hasPlace) this.#leave()
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < this.#limit) {
      this.#running++
      return
    }
    const { promise: turn, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    try {
      await abortable(turn, signal)
    } catch (thrown) {
      const place = this.#waiting.indexOf(resolve)
      if (place >= 0) this.#waiting.splice(place, 1)
      else this.#leave()
      throw thrown
    }
  }

  /** The place passes to the next in line, if there is one. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}
