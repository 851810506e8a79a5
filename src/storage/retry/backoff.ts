import { type HoldfastError, hasCode } from '../../errors.ts'
import { sleep as realSleep, throwIfAborted } from '../abort.ts'

export interface RetryOptions {
  /** How often an operation is tried in all; default 6. */
  readonly attempts?: number | undefined
  /** No new attempt begins later than this after the first failure; default 120,000 ms. */
  readonly maxElapsedMs?: number | undefined
  /** Upper bound of the first pause, doubled for each that follows; default 200 ms. */
  readonly baseDelayMs?: number | undefined
  /** Upper bound of every pause; default 20,000 ms. */
  readonly maxDelayMs?: number | undefined
  /** Waits; must reject when the signal fires. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined
  /** A number from 0 up to 1. */
  readonly random?: (() => number) | undefined
  /** Milliseconds of a clock. */
  readonly now?: (() => number) | undefined
}

/** The attempts at one operation. Progress may begin the count anew. */
export class Backoff {
  readonly #options: RetryOptions
  readonly #signal: AbortSignal | undefined
  #failures = 0
  #failingSince = 0

  constructor(options: RetryOptions, signal: AbortSignal | undefined) {
    this.#options = options
    this.#signal = signal
  }

  /** Attempts that failed so far. */
  get failures(): number {
    return this.#failures
  }

  madeProgress(): void {
    this.#failures = 0
  }

  /**
   * Waits before the next attempt: between half of the bound and the whole, so that many clients spread out.
   * @throws what was thrown, if a retry cannot help or none is left; ABORTED
   */
  async pauseAfter(thrown: unknown): Promise<void> {
    if (!isPassing(thrown)) throw thrown
    throwIfAborted(this.#signal)
    const {
      attempts = 6,
      maxElapsedMs = 120_000,
      baseDelayMs = 200,
      maxDelayMs = 20_000,
      random = Math.random,
    } = this.#options
    const now = (this.#options.now ?? Date.now)()
    if (this.#failures === 0) this.#failingSince = now
    this.#failures++
    const bound = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
    const pause = bound * (0.5 + random() / 2)
    if (this.#failures >= attempts || now + pause - this.#failingSince > maxElapsedMs) throw thrown
    await (this.#options.sleep ?? realSleep)(pause, this.#signal)
  }

  /** Runs an operation until it succeeds, or fails for good. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch (thrown) {
        await this.pauseAfter(thrown)
      }
    }
  }
}

/** Whether trying again may help. */
export function isPassing(thrown: unknown): thrown is HoldfastError {
  return hasCode(thrown, 'STORAGE_TRANSIENT', 'STORAGE_THROTTLED')
}
