import type { Progress } from '../util/progress.ts'

/** Sums up how long each phase took, from the progress that an operation reports. */
export class PhaseClock {
  readonly #now: () => number
  /** In the order in which they began. */
  readonly #spent: Map<string, number>
  #phase: string
  #since: number

  /** @param now milliseconds of a clock that never goes back */
  constructor(first: string, now: () => number = () => performance.now()) {
    this.#now = now
    this.#spent = new Map([[first, 0]])
    this.#phase = first
    this.#since = now()
  }

  get phase(): string {
    return this.#phase
  }

  note({ phase, done }: Progress): void {
    const time = this.#now()
    // A report of work done tells of the time before it, also where two phases take turns.
    const worked = done > 0 ? phase : this.#phase
    this.#spent.set(worked, this.spent(worked) + time - this.#since)
    this.#phase = phase
    this.#since = time
    if (!this.#spent.has(phase)) this.#spent.set(phase, 0)
  }

  /** The time since the last report goes to the phase that it named. */
  stop(): void {
    this.note({ phase: this.#phase, done: 0, total: undefined, unit: 'objects' })
  }

  /** Milliseconds, up to the last report. */
  spent(phase: string): number {
    return this.#spent.get(phase) ?? 0
  }

  /** Those that have begun, in order, with their milliseconds up to the last report. */
  get phases(): readonly { readonly phase: string; readonly durationMs: number }[] {
    return [...this.#spent].map(([phase, durationMs]) => ({ phase, durationMs }))
  }
}
