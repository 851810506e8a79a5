/** So much is worth a flush of its own: it takes the disk far longer than the call and the journal of the file system do. */
const flushBytes = 32 * 1024 * 1024

/**
 * Flushes a file while it is still being written or read back, so that its writer need not wait for the disk to take all of it at
 * the end. The flush that makes it durable remains the writer's.
 */
export class EarlyFlush implements Disposable {
  readonly #flush: () => Promise<void>
  #unflushed = 0
  #running: Promise<void> | undefined
  #isOver = false
  /** The system reports a failed write of the disk once; what it told us here it would not tell the last flush again. */
  #failure: { readonly error: unknown } | undefined

  /** @param flush one at a time */
  constructor(flush: () => Promise<void>) {
    this.#flush = flush
  }

  /** To be called after so many bytes were written. Does not wait. @throws what an earlier flush failed with */
  wrote(bytes: number): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#unflushed += bytes
    this.#flushIfWorthwhile()
  }

  /** Begins no further flush, and waits for the one under way. @throws what any flush failed with */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#running
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Begins no further flush. */
  [Symbol.dispose](): void {
    this.#isOver = true
  }

  #flushIfWorthwhile(): void {
    if (this.#isOver || this.#running !== undefined || this.#unflushed < flushBytes) return
    this.#unflushed = 0
    this.#running = this.#flush().then(
      () => {
        this.#running = undefined
        this.#flushIfWorthwhile()
      },
      (error: unknown) => {
        this.#running = undefined
        this.#isOver = true
        this.#failure = { error }
      },
    )
  }
}
