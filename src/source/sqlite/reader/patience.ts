import { resultCode, sqliteCode } from '../sqlite-error.ts'

const busyCodes: readonly (number | undefined)[] = [resultCode.busy, resultCode.protocol]

/** How long a thread that blocks may wait for locks. Sleeping here, not in SQLite's busy handler, it can be cancelled. */
export class Patience {
  readonly #end: number
  readonly #throwIfCancelled: () => void
  readonly #bell = new Int32Array(new SharedArrayBuffer(4))

  constructor(waitMs: number, throwIfCancelled: () => void) {
    this.#end = performance.now() + waitMs
    this.#throwIfCancelled = throwIfCancelled
  }

  /** Repeats until SQLite is not busy. @throws SQLite's busy error once the time is over */
  whileBusy(attempt: () => void): void {
    for (;;) {
      try {
        attempt()
        return
      } catch (thrown) {
        if (!busyCodes.includes(sqliteCode(thrown))) throw thrown
        this.throwIfOver(() => thrown)
        // Short: a busy writer frees the database for moments only, and a sleeper misses them.
        Atomics.wait(this.#bell, 0, 0, 1)
      }
    }
  }

  throwIfOver(error: () => unknown): void {
    this.#throwIfCancelled()
    if (performance.now() >= this.#end) throw error()
  }
}
