/** So many looks make the time that an engine may be silent. */
export const looksInLimit = 20
/** One that uses the processor, for a statement of SQLite's that takes long perhaps, may be silent for so many times as long. */
const patience = 6

/**
 * For how long an engine has been silent: counted in looks, not by a clock. A machine that slept, and a host that was stopped or busy
 * itself, looked no more than once meanwhile.
 */
export class Silence {
  /** Looks since its last word. */
  #silent = 0
  /** Of these, the last in a row at which it had done nothing either. */
  #idle = 0
  #cpuTime: number | undefined

  /** It gave a sign of life. */
  end(): void {
    this.#silent = 0
    this.#idle = 0
  }

  /** @param cpuTime what it has used of the processor; undefined where the system does not tell: then it may be at work */
  look(cpuTime: number | undefined): void {
    const isIdle = cpuTime !== undefined && this.#cpuTime !== undefined && cpuTime <= this.#cpuTime
    this.#cpuTime = cpuTime
    this.#silent += 1
    this.#idle = isIdle ? this.#idle + 1 : 0
  }

  /** In looks. */
  get length(): number {
    return this.#silent
  }

  get isTooLong(): boolean {
    return this.#idle >= looksInLimit || this.#silent >= patience * looksInLimit
  }
}
