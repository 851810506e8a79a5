import { toHoldfastError } from '../../errors.ts'
import type { OperationEnd, OperationOutcome } from './operation.ts'

/** What is to be recorded of work that came to its end. */
export interface Ending extends Omit<OperationEnd, 'outcome' | 'message' | 'warnings'> {
  /** Default: `warning` if there are warnings, else `succeeded`. */
  readonly outcome?: OperationOutcome | undefined
  readonly message?: string | undefined
  /** Stand for the message, where there is none; else they are told besides. */
  readonly warnings?: readonly string[] | undefined
}

export function endOf({ outcome, message, warnings = [], ...rest }: Ending): OperationEnd {
  return {
    ...rest,
    outcome: outcome ?? (warnings.length === 0 ? 'succeeded' : 'warning'),
    ...(message === undefined ? { message: joined(warnings) } : { message, ...besides(warnings) }),
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

/** With what was said after it ended: that undoes nothing, and is no cause of what went wrong. */
export function withWarnings(end: OperationEnd, said: readonly string[]): OperationEnd {
  if (said.length === 0) return end
  const { outcome, message, warnings = [] } = end
  if (outcome !== 'succeeded' && outcome !== 'warning') return { ...end, ...besides([...warnings, ...said]) }
  return { ...end, outcome: 'warning', message: joined([message ?? [], ...said].flat()) }
}

function joined(sentences: readonly string[]): string | undefined {
  return sentences.length === 0 ? undefined : sentences.join(' ')
}

function besides(warnings: readonly string[]): Pick<OperationEnd, 'warnings'> {
  return warnings.length === 0 ? {} : { warnings }
}
