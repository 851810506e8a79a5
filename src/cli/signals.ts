import { leaveBy } from './leave.ts'

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  readonly signal: AbortSignal
  /** The signal that came, if one did. */
  readonly received: () => NodeJS.Signals | undefined
}

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) cancels the work, which cleans up; the second ends the process at once, also where a system call hangs.
 * @param except a signal that means something else to this command
 */
export function listenForInterrupts(onFirst: (signal: NodeJS.Signals) => void, except?: NodeJS.Signals): Interruption {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  for (const name of interrupts) {
    if (name === except) continue
    process.on(name, () => {
      if (received !== undefined) leaveBy(name)
      received = name
      controller.abort()
      onFirst(name)
    })
  }
  return { signal: controller.signal, received: () => received }
}
