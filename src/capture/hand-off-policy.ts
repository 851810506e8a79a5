import type { HandOffResult } from '../source/follower.ts'

const firstRetryMs = 1_000
const lastRetryMs = 60_000
/** So many in a row that did not complete are worth a word. */
const failuresToWarn = 5

/** When the log is handed back to the database, and when people should know that it cannot be. */
export class HandOffPolicy {
  readonly #logBytes: number
  readonly #ageMs: number
  #filledSince: number | undefined
  #notBefore = 0
  #failures = 0
  #warnAt = failuresToWarn

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
    this.#notBefore = Math.min(this.#notBefore, now + lastRetryMs)
    const due = logBytes >= this.#logBytes ? now : this.#filledSince + this.#ageMs
    return Math.max(due, this.#notBefore)
  }

  /** Takes note of a hand-off. Returns what to warn of, if anything. */
  done({ complete, framesLeft, lockHeldMs }: HandOffResult, now: number): string | undefined {
    if (complete) {
      this.#failures = 0
      this.#warnAt = failuresToWarn
      this.#notBefore = 0
      this.#filledSince = undefined
      return undefined
    }
    this.#failures += 1
    this.#notBefore = now + Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 10))
    if (this.#failures < this.#warnAt) return undefined
    this.#warnAt *= 2
    const reason =
      lockHeldMs === 0 && framesLeft === 0
        ? 'the write lock could not be had for a moment'
        : `another process holds a reader on an old state; ${framesLeft} frames cannot be copied`
    return `The log could not be handed back to the database ${this.#failures} times in a row, so it grows: ${reason}.`
  }
}
