import { HoldfastError } from '../../errors.ts'

/** Keeps a descriptor from being closed under a read: the system may give its number to another file at once. */
export class PendingReads implements AsyncDisposable {
  readonly #pending = new Set<Promise<unknown>>()
  readonly #location: string
  #closed = false

  constructor(location: string) {
    this.#location = location
  }

  /** @throws INTERNAL once disposed */
  requireOpen(): void {
    if (!this.#closed) return
    throw new HoldfastError('INTERNAL', 'This snapshot has been disposed of.', { object: this.#location })
  }

  /** A failure reaches whoever awaits the returned promise, and is not taken for unhandled until then. */
  run<T>(read: () => Promise<T>): Promise<T> {
    this.requireOpen()
    const pending = read()
    this.#pending.add(pending)
    const forget = () => this.#pending.delete(pending)
    pending.then(forget, forget)
    return pending
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#pending)
  }
}
