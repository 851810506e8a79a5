import { toHoldfastError } from '../../errors.ts'
import type { OperationEnd, OperationOutcome } from './operation.ts'

/** What is to be recorded of work that came to its end. */
export interface Ending extends Omit<OperationEnd, 'outcome' | 'message'> {
  /** Default: `warning` if there are warnings, else `succeeded`. */
  readonly outcome?: OperationOutcome | undefined
  readonly message?: string | undefined
  /** Stand for the message, where there is none. */
  readonly warnings?: readonly string[] | undefined
}

export function endOf({ outcome, message, warnings = [], ...rest }: Ending): OperationEnd {
  return {
    ...rest,
    outcome: outcome ?? (warnings.length === 0 ? 'succeeded' : 'warning'),
    message: message ?? (warnings.length === 0 ? undefined : warnings.join(' ')),
  }
}

/** How work ended that threw this. @param figures how far it came */
export function failedEnd(thrown: unknown, figures?: OperationEnd['figures']): OperationEnd {
  const error = toHoldfastError(thrown)
  const { code } = error
  // What follows may be the output of somebody's command, which is not for keeping.
  const [message] = error.message.split('\n')
  return { outcome: code === 'ABORTED' ? 'interrupted' : 'failed', code, message, figures }
}

/** With what was said after it ended: that undoes nothing. */
export function withWarnings(end: OperationEnd, warnings: readonly string[]): OperationEnd {
  if (warnings.length === 0) return end
  const { outcome, message } = end
  const text = [message, ...warnings].filter((part) => part !== undefined).join(' ')
  return { ...end, outcome: outcome === 'succeeded' ? 'warning' : outcome, message: text }
}
