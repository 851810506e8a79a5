import type { DatabaseSync } from 'node:sqlite'
import type { JournalFile } from './journal-file.ts'

interface Waiting {
  /** Does the work, and returns what tells of it once that is durable. */
  readonly run: (database: DatabaseSync) => () => void
  readonly fail: (reason: unknown) => void
}

/** A write blocks the process: so long, times what the last one took, others get their turn before the next. */
const restFactor = 3
const longestRestMs = 250

/**
 * What is written at the same moment shares one transaction and its syncs; and so does what comes soon after a write, as when
 * a thousand databases begin to be followed, and what comes while another process holds the journal. All is written in the order in which it came.
 */
export class WriteQueue {
  readonly #file: Pick<JournalFile, 'write'>
  #waiting: Waiting[] = []
  #isWriting = false
  /** In the milliseconds of `performance.now`. */
  #restsUntil = 0

  constructor(file: Pick<JournalFile, 'write'>) {
    this.#file = file
  }

  /** Resolves when it is durable. Of works that share a transaction, all are done or none. */
  add<T>(work: (database: DatabaseSync) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run = (database: DatabaseSync) => {
      const result = work(database)
      return () => resolve(result)
    }
    this.#waiting.push({ run, fail: reject })
    if (this.#waiting.length === 1 && !this.#isWriting) this.#writeSoon()
    return promise
  }

  #writeSoon(): void {
    const restMs = this.#restsUntil - performance.now()
    if (restMs > 0) setTimeout(() => void this.#write(), restMs)
    else setImmediate(() => void this.#write())
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    const begun = performance.now()
    const here = this.#waiting.length
    const taken: Waiting[] = []
    try {
      const done = await this.#file.write((database) => {
        taken.push(...this.#waiting.splice(0))
        return taken.map(({ run }) => run(database))
      })
      for (const tell of done) tell()
    } catch (error) {
      // Who came while it was waited for may still have more luck.
      const failed = taken.length > 0 ? taken : this.#waiting.splice(0, here)
      for (const { fail } of failed) fail(error)
    } finally {
      const ended = performance.now()
      this.#restsUntil = ended + Math.min(longestRestMs, restFactor * (ended - begun))
      this.#isWriting = false
      if (this.#waiting.length > 0) this.#writeSoon()
    }
  }
}
