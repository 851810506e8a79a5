import type { Progress } from './progress.ts'

/** Progress with how fast it goes and how long the phase will still take. */
export interface ProgressReport extends Progress {
  /** Milliseconds since the operation began. */
  readonly elapsedMs: number
  /** Units a second over the last seconds; undefined until there is something to measure. */
  readonly ratePerSecond: number | undefined
  /** Milliseconds until this phase ends at that rate; undefined while rate or total are unknown. */
  readonly remainingMs: number | undefined
}

/** The rate is that of this stretch of time: long enough to be steady, short enough to follow a change. */
const windowMs = 5_000
/** Below this, a rate says nothing. */
const leastMs = 250
const mostSamples = 64

interface Sample {
  readonly time: number
  readonly done: number
}

/**
 * Turns progress into rate and remaining time, phase by phase. Pure but for its clock.
 * @param now milliseconds of a clock that never goes back, such as `performance.now`
 */
export class RateMeter {
  readonly #now: () => number
  readonly #begun: number
  #phase: string | undefined
  #samples: Sample[] = []

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#begun = now()
  }

  measure(progress: Progress): ProgressReport {
    const time = this.#now()
    const { phase, done, total } = progress
    const last = this.#samples.at(-1)
    if (phase !== this.#phase || (last !== undefined && done < last.done)) {
      this.#phase = phase
      this.#samples = []
    }
    this.#take({ time, done })
    const ratePerSecond = this.#rate({ time, done })
    const known = total !== undefined && ratePerSecond !== undefined && ratePerSecond > 0
    const remainingMs = known ? (Math.max(0, total - done) / ratePerSecond) * 1000 : undefined
    return { ...progress, elapsedMs: time - this.#begun, ratePerSecond, remainingMs }
  }

  #take(sample: Sample): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && sample.time - last.time < windowMs / mostSamples) return
    this.#samples.push(sample)
    // One sample older than the window stays: the rate is measured from it.
    while ((this.#samples[1]?.time ?? sample.time) < sample.time - windowMs) this.#samples.shift()
  }

  #rate({ time, done }: Sample): number | undefined {
    const first = this.#samples[0]
    if (first === undefined || time - first.time < leastMs) return undefined
    return ((done - first.done) / (time - first.time)) * 1000
  }
}
