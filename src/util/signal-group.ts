import { setTimeout as delay } from 'node:timers/promises'

/** `none`: nobody is there any more. `denied`: all who are there belong to another user. */
export type Reached = 'some' | 'none' | 'denied'

/** Sends a signal, as `process.kill` does. */
export type SendSignal = (pid: number, signal: 'SIGTERM' | 'SIGKILL') => unknown

/** Those who were killed are gone within this time, in milliseconds, or wait for a parent that does not ask for them. */
const lookAgainMs = 10
const mostLooks = 5

/** Sends a signal to all of a process group whom this user may send one. */
export function signalGroup(leader: number, name: 'SIGTERM' | 'SIGKILL', send: SendSignal): Reached {
  try {
    send(-leader, name)
    return 'some'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ESRCH') return 'none'
    if (code === 'EPERM') return 'denied'
    throw error
  }
}

/** Kills all who are left of a group whose leader has ended; looks until those are gone, since only then others show. */
export async function killGroup(leader: number, send: SendSignal): Promise<Reached> {
  for (let look = 1; ; look += 1) {
    const reached = signalGroup(leader, 'SIGKILL', send)
    if (reached !== 'some' || look === mostLooks) return reached
    await delay(lookAgainMs)
  }
}
