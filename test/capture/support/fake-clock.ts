import { setTimeout as pause, setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../src/capture/clock.ts'
import { aborted } from '../../../src/util/abort.ts'

/** A clock that goes on by itself whenever somebody waits for it. */
export class FakeClock implements Clock {
  time = 1_800_000_000_000

  now(): number {
    return this.time
  }

  random(): number {
    return 0.5
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw aborted(signal)
    // Long waits are for something else to happen first.
    for (let turn = 0; turn < (milliseconds > 1_000 ? 20 : 1); turn += 1) {
      await setImmediate()
      if (signal?.aborted) throw aborted(signal)
    }
    // Compression goes on in threads, which know nothing of this clock.
    if (milliseconds >= 200) await pause(3)
    if (signal?.aborted) throw aborted(signal)
    this.time += milliseconds
  }
}
