const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  readonly signal: AbortSignal
  /** The signal that came, if one did. */
  readonly received: () => NodeJS.Signals | undefined
}

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) cancels the work, which cleans up; the second ends the process at once.
 * @param except a signal that means something else to this command
 */
export function listenForInterrupts(onFirst: (signal: NodeJS.Signals) => void, except?: NodeJS.Signals): Interruption {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals) => {
    if (received !== undefined) process.exit(signal === 'SIGTERM' ? 143 : 130)
    received = signal
    controller.abort()
    onFirst(signal)
  }
  for (const name of interrupts) if (name !== except) process.on(name, interrupt)
  return { signal: controller.signal, received: () => received }
}
