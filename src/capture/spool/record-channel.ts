import type { RecordBatch } from '../../segment/segment.ts'

/** Hands record batches to a writer that takes them at its own pace: `push` resolves when its batch was taken. */
export class RecordChannel implements AsyncIterable<RecordBatch> {
  #waiting: { readonly batch: RecordBatch; readonly taken: () => void } | undefined
  #ended = false
  #wakeReader: (() => void) | undefined
  #failure: { readonly error: unknown } | undefined
  #refuse: ((error: unknown) => void) | undefined

  /** One push at a time. @throws what the reader failed with */
  push(batch: RecordBatch): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (this.#failure !== undefined) {
      reject(this.#failure.error)
      return promise
    }
    this.#waiting = { batch, taken: resolve }
    this.#refuse = reject
    this.#wakeReader?.()
    return promise
  }

  end(): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  /** The reader will take no more. */
  fail(error: unknown): void {
    this.#failure = { error }
    this.#refuse?.(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    for (;;) {
      const waiting = this.#waiting
      if (waiting !== undefined) {
        this.#waiting = undefined
        waiting.taken()
        yield waiting.batch
      } else if (this.#ended) return
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wakeReader = resolve
        await promise
        this.#wakeReader = undefined
      }
    }
  }
}
