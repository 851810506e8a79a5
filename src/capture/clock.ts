import { setTimeout as delay } from 'node:timers/promises'
import { aborted } from '../util/abort.ts'

/** Time and chance, so that tests can own them. */
export interface Clock {
  /** Milliseconds since 1970; may jump, as the machine's clock does. */
  now(): number
  /** @throws ABORTED when the signal fires */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** A number from 0 up to 1. */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal })
    } catch (thrown) {
      if (signal?.aborted) throw aborted(signal)
      throw thrown
    }
  },
}
