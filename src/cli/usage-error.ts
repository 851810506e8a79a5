import { HoldfastError } from '../errors.ts'

/** The command was not used as it can be: exit status 2. */
export function usageError(message: string, hint?: string, object?: string): HoldfastError {
  return new HoldfastError('USAGE', message, { hint, object })
}
