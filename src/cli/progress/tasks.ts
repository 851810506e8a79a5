import { type ProgressReport, RateMeter } from '../../util/rate-meter.ts'
import type { Task } from './reporter.ts'

interface Running {
  readonly label: string
  readonly report: ProgressReport
}

/** The running tasks of a reporter, in the order in which they began. */
export class Tasks {
  readonly #now: () => number
  readonly #running = new Map<symbol, Running | undefined>()
  #ended = 0

  constructor(now: () => number) {
    this.#now = now
  }

  add(label: string, events: { changed: () => void; ended: () => void }): Task {
    const key = Symbol(label)
    const meter = new RateMeter(this.#now)
    this.#running.set(key, undefined)
    return {
      onProgress: (progress) => {
        this.#running.set(key, { label, report: meter.measure(progress) })
        events.changed()
      },
      end: () => {
        if (!this.#running.delete(key)) return
        this.#ended += 1
        events.ended()
      },
    }
  }

  get ended(): number {
    return this.#ended
  }

  /** Those that have said something, and ran for at least `age` milliseconds when they did. */
  reports(age = 0): Running[] {
    return [...this.#running.values()].flatMap((running) =>
      running === undefined || running.report.elapsedMs < age ? [] : [running],
    )
  }
}
