import { hasCode } from '../../errors.ts'

/** What keeps from looking at a database, and passes by itself or concerns all of the repository: of the next one it would be the same. */
export function isPassing(thrown: unknown, signal: AbortSignal | undefined): boolean {
  return (
    signal?.aborted === true ||
    hasCode(thrown, 'ABORTED', 'STORAGE_TRANSIENT', 'STORAGE_THROTTLED', 'REPOSITORY_NOT_FOUND')
  )
}
