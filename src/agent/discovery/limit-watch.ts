import { type LimitWarning, type SystemLimits, shortLimits } from './system-limits.ts'

/** Says once what the system should allow more of, for as many databases as there are. */
export class LimitWatch {
  readonly #limits: () => Promise<SystemLimits>
  readonly #workers: number
  /** The most databases of which it was told. */
  #told = 0

  constructor(limits: () => Promise<SystemLimits>, workers: number) {
    this.#limits = limits
    this.#workers = workers
  }

  /** Again only for half as many more. */
  async look(followed: number): Promise<readonly LimitWarning[]> {
    if (followed <= this.#told * 1.5) return []
    const warnings = shortLimits(await this.#limits(), followed, this.#workers)
    if (warnings.length > 0) this.#told = followed
    return warnings
  }
}
