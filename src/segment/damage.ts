import { HoldfastError, toHoldfastError } from '../errors.ts'

/** A decoder's complaint; {@link nameDamage} adds the object and the region, which the decoder does not know. */
export function malformed(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('INTEGRITY', message, { cause })
}

export function damaged(object: string, region: string, message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('INTEGRITY', `Segment ${object} is damaged, ${region}: ${message}`, {
    object,
    cause,
    hint: 'Verify the repository to see what else is affected; restore points that do not need this segment stay usable.',
  })
}

/** Puts the object and region onto a decoder's complaint; other failures pass unchanged. */
export function nameDamage(thrown: unknown, object: string, region: string): HoldfastError {
  const error = toHoldfastError(thrown, object)
  return error.code === 'INTEGRITY' && error.object === undefined
    ? damaged(object, region, error.message, error)
    : error
}

export function blockRegion(slot: number, offset: number, length: number): string {
  return `block ${slot} (bytes ${offset} to ${offset + length - 1})`
}

export function throwIfAborted(signal: AbortSignal | undefined, object?: string): void {
  if (signal?.aborted) {
    throw new HoldfastError('ABORTED', 'The operation was cancelled.', { object, cause: signal.reason })
  }
}
