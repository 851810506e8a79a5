import { RateMeter } from '../../util/rate-meter.ts'
import type { ProgressLine } from '../json/schemas.ts'
import type { ProgressReporter, Task } from './reporter.ts'

const everyMs = 250

/** At most four lines a second for each operation; the first of a phase is always among them. */
export class JsonReporter implements ProgressReporter {
  readonly #write: (line: ProgressLine) => void
  readonly #now: () => number

  constructor(write: (line: ProgressLine) => void, now: () => number) {
    this.#write = write
    this.#now = now
  }

  task(label: string): Task {
    const meter = new RateMeter(this.#now)
    let next = Number.NEGATIVE_INFINITY
    let phase: string | undefined
    const onProgress: Task['onProgress'] = (progress) => {
      const { ratePerSecond, remainingMs } = meter.measure(progress)
      const now = this.#now()
      if (now < next && progress.phase === phase) return
      // A new phase may come early; what follows waits the longer for it.
      next = Math.max(next, now) + everyMs
      phase = progress.phase
      const { done, total, unit } = progress
      this.#write({
        type: 'progress',
        object: label,
        phase,
        done,
        total: total ?? null,
        unit,
        ratePerSecond: ratePerSecond === undefined ? null : Math.round(ratePerSecond),
        secondsLeft: remainingMs === undefined ? null : Math.round(remainingMs / 1000),
      })
    }
    return { onProgress, end: () => {} }
  }

  clear(): void {}
}
