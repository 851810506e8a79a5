import { toHoldfastError } from '../../errors.ts'
import type { ResultData } from '../json/schemas.ts'

export type Check = ResultData<'doctor'>['checks'][number]

export const ok = (name: string, message: string): Check => ({ name, status: 'ok', message, hint: null })
export const note = (name: string, message: string): Check => ({ name, status: 'note', message, hint: null })
export const warning = (name: string, message: string, hint: string | null = null): Check => ({
  name,
  status: 'warning',
  message,
  hint,
})
export const failure = (name: string, message: string, hint: string | null = null): Check => ({
  name,
  status: 'failure',
  message,
  hint,
})

/** A check whose work threw has failed, with the reason; only an interruption goes on. */
export async function checking(
  name: string,
  signal: AbortSignal,
  work: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    signal.throwIfAborted()
    return await work()
  } catch (thrown) {
    if (signal.aborted) throw thrown
    const { message, hint } = toHoldfastError(thrown)
    return [failure(name, message, hint ?? null)]
  }
}
