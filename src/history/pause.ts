import type { Lsn } from './lsn.ts'

/**
 * Commits `fromLsn + 1` to `toLsn` were made while nobody looked, and were all taken afterwards. Each can be restored by its LSN; but when each
 * was made is not known, so a time in between names no state.
 */
export interface Pause {
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  /** Milliseconds since 1970: until when LSN `fromLsn` is known to have been the state, and from when LSN `toLsn` is. */
  readonly fromTime: number
  readonly toTime: number
}
