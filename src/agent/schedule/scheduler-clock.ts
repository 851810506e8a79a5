/** Time and chance, so that tests can own them. */
export interface SchedulerClock {
  /** Milliseconds since 1970; may jump, as the machine's clock does. */
  now(): number
  /** A number from 0 up to 1. */
  random(): number
  /** Calls back once after so many milliseconds. @returns what takes it back */
  after(milliseconds: number, callback: () => void): () => void
}

/** @param keepsAlive whether a process goes on only because something is scheduled */
export function systemSchedulerClock({ keepsAlive }: { readonly keepsAlive: boolean }): SchedulerClock {
  return {
    now: Date.now,
    random: Math.random,
    after: (milliseconds, callback) => {
      const timer = setTimeout(callback, milliseconds)
      if (!keepsAlive) timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
