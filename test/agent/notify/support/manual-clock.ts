import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../../src/capture/clock.ts'
import { aborted } from '../../../../src/util/abort.ts'
import { start } from './alerts.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  time = start
  readonly #sleepers = new Set<Sleeper>()

  now(): number {
    return this.time
  }

  random(): number {
    return 1
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw aborted(signal)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper: Sleeper = { at: this.time + milliseconds, wake: resolve }
    const onAbort = () => reject(aborted(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#sleepers.add(sleeper)
    try {
      await promise
    } finally {
      this.#sleepers.delete(sleeper)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** How long those who sleep will sleep, in milliseconds, the first first. */
  get waits(): readonly number[] {
    return [...this.#sleepers].map(({ at }) => at - this.time).sort((a, b) => a - b)
  }

  /** Goes on for so long; whoever wakes up may do what takes no time. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds
    await turns()
    for (;;) {
      const next = [...this.#sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.time = Math.max(this.time, next.at)
      this.#sleepers.delete(next)
      next.wake()
      await turns()
    }
    this.time = end
  }
}

/** Lets everything happen that needs neither time nor files. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
}
