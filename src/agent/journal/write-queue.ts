import type { DatabaseSync } from 'node:sqlite'
import type { JournalFile } from './journal-file.ts'

interface Waiting {
  /** Does the work, and returns what tells of it once that is durable. */
  readonly run: (database: DatabaseSync) => () => void
  readonly fail: (reason: unknown) => void
}

/** What is written at the same moment, as when a thousand databases begin to be followed, shares one transaction and its syncs. */
export class WriteQueue {
  readonly #file: JournalFile
  #waiting: Waiting[] = []

  constructor(file: JournalFile) {
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
    if (this.#waiting.length === 1) setImmediate(() => void this.#flush())
    return promise
  }

  async #flush(): Promise<void> {
    const works = this.#waiting
    this.#waiting = []
    try {
      const done = await this.#file.write((database) => works.map(({ run }) => run(database)))
      for (const tell of done) tell()
    } catch (error) {
      for (const { fail } of works) fail(error)
    }
  }
}
