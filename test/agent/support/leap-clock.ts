import type { SchedulerClock } from '../../../src/agent/schedule/scheduler-clock.ts'
import type { Clock } from '../../../src/capture/clock.ts'
import { aborted } from '../../../src/util/abort.ts'

interface Waiting {
  at: number
  timer: NodeJS.Timeout | undefined
  readonly callback: () => void
}

/** The machine's clock, which a test can make leap: so that hours pass at once for what runs by it, and all else goes on as ever. */
export class LeapClock implements Clock, SchedulerClock {
  #wall = 0
  #steady = 0
  readonly #waiting = new Set<Waiting>()

  now(): number {
    return Date.now() + this.#wall
  }

  random(): number {
    return 0
  }

  after(milliseconds: number, callback: () => void): () => void {
    const waiting: Waiting = { at: this.#steadyNow() + milliseconds, timer: undefined, callback }
    this.#waiting.add(waiting)
    this.#arm(waiting)
    return () => {
      clearTimeout(waiting.timer)
      this.#waiting.delete(waiting)
    }
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw aborted(signal)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const takeBack = this.after(milliseconds, resolve)
    const onAbort = (): void => reject(aborted(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      takeBack()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** So much time passes: every timer notices. */
  leap(milliseconds: number): void {
    this.#steady += milliseconds
    this.#wall += milliseconds
    for (const waiting of this.#waiting) this.#arm(waiting)
  }

  /** Whoever waits has waited so much longer; what time it is does not change. */
  hurry(milliseconds: number): void {
    this.leap(milliseconds)
    this.#wall -= milliseconds
  }

  /** The clock on the wall is set, or the machine slept: no timer notices. */
  jump(milliseconds: number): void {
    this.#wall += milliseconds
  }

  #steadyNow(): number {
    return performance.now() + this.#steady
  }

  #arm(waiting: Waiting): void {
    clearTimeout(waiting.timer)
    const left = Math.max(0, waiting.at - this.#steadyNow())
    waiting.timer = setTimeout(
      () => {
        this.#waiting.delete(waiting)
        waiting.callback()
      },
      Math.min(left, 2 ** 31 - 1),
    )
  }
}
