import { HoldfastError } from '../errors.ts'

/** @throws ABORTED if the signal has fired */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

export function aborted(signal?: AbortSignal): HoldfastError {
  return new HoldfastError('ABORTED', 'The operation was cancelled.', { cause: signal?.reason })
}

/** Settles as `promise` does, or rejects with ABORTED as soon as the signal fires. The work behind the promise goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  // The loser of a race must not become an unhandled rejection.
  promise.catch(() => {})
  throwIfAborted(signal)
  const { promise: fired, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(aborted(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, fired])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
