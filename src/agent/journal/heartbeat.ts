const everyMs = 60 * 60_000

/** One timer for all operations of a process, and none while nothing runs. It keeps no process alive. */
export class Heartbeat {
  readonly #beat: () => void
  #running = 0
  #timer: NodeJS.Timeout | undefined

  /** @param beat says once an hour that the process is there; it deals with its own failures */
  constructor(beat: () => void) {
    this.#beat = beat
  }

  begin(): void {
    this.#running += 1
    this.#timer ??= setInterval(this.#beat, everyMs).unref()
  }

  end(): void {
    this.#running -= 1
    if (this.#running > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
