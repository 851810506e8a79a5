const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  readonly signal: AbortSignal
  /** The signal that came, if one did. */
  readonly received: () => NodeJS.Signals | undefined
}

/** The first Ctrl-C (or SIGTERM, SIGHUP) cancels the work, which cleans up; the second ends the process at once. */
export function listenForInterrupts(onFirst: (signal: NodeJS.Signals) => void): Interruption {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals) => {
    if (received !== undefined) process.exit(signal === 'SIGTERM' ? 143 : 130)
    received = signal
    controller.abort()
    onFirst(signal)
  }
  for (const name of interrupts) process.on(name, interrupt)
  return { signal: controller.signal, received: () => received }
}
