import type { ErrorCode, HoldfastError } from '../../errors.ts'
import type { DrillCheck } from './drill-options.ts'

/** With what is in the repository and known here, the state does not come back as it was. */
const failing: readonly ErrorCode[] = [
  'INTEGRITY',
  'STORAGE_CORRUPT',
  'PROOF_FAILED',
  'WRONG_KEY',
  'FORMAT_TOO_NEW',
  'DATABASE_DAMAGED',
]

/** The place to restore to, or the way to the repository, was not to be had: that says nothing about the backup. */
const hindering: readonly ErrorCode[] = [
  'DISK_FULL',
  'ACCESS_DENIED',
  'TARGET_EXISTS',
  'TARGET_LIVE',
  'TARGET_FOLDER_MISSING',
  'OBJECT_NOT_FOUND',
  'STORAGE_DENIED',
  'STORAGE_THROTTLED',
  'STORAGE_TRANSIENT',
  'ENGINE_DIED',
]

/** What an error in the restore says of the state; undefined for one that is no verdict: a wrong name, a cancelled drill, a bug. */
export function judgeFailure({ code, message }: HoldfastError): DrillCheck | undefined {
  const outcome = failing.includes(code) ? 'failed' : hindering.includes(code) ? 'inconclusive' : undefined
  return outcome && { kind: 'restore', outcome, detail: message }
}
