import type { HandOffResult } from '../source/follower.ts'

/** A reader of another process keeps frames from being copied: for a moment, or for long. */
const readerRetry = { firstMs: 250, lastMs: 60_000 }
/** Writers left no moment for it: the next one may. */
const writersRetry = { firstMs: 20, lastMs: 160 }
/** So many in a row that did not complete are worth a word. */
const failuresToWarn = { reader: 6, writers: 20 }

interface Warning {
  readonly message: string
  readonly hint: string | undefined
}

/** When the log is handed back to the database, and when people should know that it cannot be. */
export class HandOffPolicy {
  readonly #logBytes: number
  readonly #ageMs: number
  #filledSince: number | undefined
  #notBefore = 0
  #obstacle: NonNullable<HandOffResult['obstacle']> = 'reader'
  #failures = 0
  #warnAt = 0

  constructor(settings: { readonly handOffBytes: number; readonly handOffAgeMs: number }) {
    this.#logBytes = settings.handOffBytes
    this.#ageMs = settings.handOffAgeMs
  }

  /** When the next hand-off is due, in the clock's milliseconds, given the log as it is now; undefined while it is empty. */
  dueAt(logBytes: number, now: number): number | undefined {
    if (logBytes === 0) {
      this.#filledSince = undefined
      return undefined
    }
    this.#filledSince ??= now
    // A clock that was set back must not put the hand-off off for as long.
    this.#filledSince = Math.min(this.#filledSince, now)
    this.#notBefore = Math.min(this.#notBefore, now + readerRetry.lastMs)
    const due = logBytes >= this.#logBytes ? now : this.#filledSince + this.#ageMs
    return Math.max(due, this.#notBefore)
  }

  /** Takes note of a hand-off. Returns what to warn of, if anything. */
  done({ complete, obstacle = 'writers', framesLeft }: HandOffResult, now: number): Warning | undefined {
    if (complete) {
      this.#failures = 0
      this.#notBefore = 0
      this.#filledSince = undefined
      return undefined
    }
    if (this.#failures === 0 || obstacle !== this.#obstacle) {
      this.#obstacle = obstacle
      this.#failures = 0
      this.#warnAt = failuresToWarn[obstacle]
    }
    this.#failures += 1
    const { firstMs, lastMs } = obstacle === 'reader' ? readerRetry : writersRetry
    this.#notBefore = now + Math.min(lastMs, firstMs * 2 ** Math.min(this.#failures - 1, 10))
    if (this.#failures < this.#warnAt) return undefined
    this.#warnAt *= 2
    const [reason, hint] = {
      reader: [
        `another process holds a reader on an old state; ${framesLeft} frames cannot be copied`,
        'Look for a connection that leaves a read transaction open.',
      ],
      writers: [
        'other processes write without a pause, or hold the write lock',
        'Look for a connection that leaves a write transaction open. Under a load that never pauses, it ends with the load.',
      ],
    }[obstacle]
    const times = `${this.#failures} times in a row`
    return { message: `The log could not be handed back to the database ${times}, so it grows: ${reason}.`, hint }
  }
}
