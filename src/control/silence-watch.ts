/** Looked at so many times before somebody counts as silent: a single look says nothing, since this process may itself have been stopped. */
const looks = 6

/** Tells, once, when the other side says nothing for a time while something is asked of it. */
export class SilenceWatch {
  readonly #everyMs: number
  readonly #onSilence: () => void
  #asked = 0
  #timer: NodeJS.Timeout | undefined
  #silentLooks = 0

  /** @param silenceMs how long it may be silent, in milliseconds */
  constructor(silenceMs: number, onSilence: () => void) {
    this.#everyMs = silenceMs / looks
    this.#onSilence = onSilence
  }

  heard(): void {
    this.#silentLooks = 0
  }

  /** Something is asked, until what is returned is disposed of. */
  begin(): Disposable {
    this.#asked += 1
    if (this.#asked === 1) {
      this.#silentLooks = 0
      this.#timer = setInterval(() => this.#look(), this.#everyMs)
    }
    return {
      [Symbol.dispose]: () => {
        this.#asked -= 1
        if (this.#asked === 0) clearInterval(this.#timer)
      },
    }
  }

  #look(): void {
    this.#silentLooks += 1
    if (this.#silentLooks < looks) return
    clearInterval(this.#timer)
    this.#onSilence()
  }
}
