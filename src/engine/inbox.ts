import { streamWindow } from './protocol.ts'

type Ending = { readonly error?: unknown; readonly failed: boolean }

export interface InboxEvents {
  /** The consumer is ready for so many more items. */
  readonly want: (count: number) => void
  /** The consumer stopped before the end; resolves when the sender has stopped too. */
  readonly stop: () => Promise<void>
}

/** The receiving end of a stream: at most {@link streamWindow} items wait here. Read once, by one consumer. */
export class Inbox implements AsyncIterableIterator<unknown> {
  readonly #events: InboxEvents
  readonly #items: unknown[] = []
  #ending: Ending | undefined
  #waiting: (() => void) | undefined
  #started = false

  constructor(events: InboxEvents) {
    this.#events = events
  }

  push(item: unknown): void {
    this.#items.push(item)
    this.#wake()
  }

  end(): void {
    this.#ending ??= { failed: false }
    this.#wake()
  }

  fail(error: unknown): void {
    this.#ending ??= { failed: true, error }
    this.#wake()
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (!this.#started) {
      this.#started = true
      this.#events.want(streamWindow)
    }
    while (this.#items.length === 0 && this.#ending === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting = resolve
      await promise
    }
    if (this.#items.length > 0) {
      const value = this.#items.shift()
      if (this.#ending === undefined) this.#events.want(1)
      return { done: false, value }
    }
    if (this.#ending?.failed) throw this.#ending.error
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#items.length = 0
    if (this.#ending === undefined) {
      this.end()
      await this.#events.stop()
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }
}
