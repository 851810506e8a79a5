import type { JournalWarning } from './journal-api.ts'

const warned = new Set<string>()

/** What was asked for goes on all the same; so who looks after the application must hear of it as a warning of the process. */
export function warnOnce({ message, code }: JournalWarning): void {
  if (warned.has(message)) return
  warned.add(message)
  process.emitWarning(message, { type: 'HoldfastWarning', code })
}
