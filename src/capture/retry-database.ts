import { type HoldfastError, hasCode } from '../errors.ts'
import { notFollowedNow } from './not-followed-now.ts'
import type { Session } from './session.ts'

const firstDelayMs = 250
const lastDelayMs = 30_000
/** Failures in a row whose kind is not known: more are not worth another try. */
const mostUnexplained = 8

/** Whether opening the database again may help after so many failures in a row. */
export function mayBeHelped(error: HoldfastError, failures = 1): boolean {
  if (error.code === 'INTERNAL' && failures > mostUnexplained) return false
  return !hasCode(error, 'USAGE', 'LEASE_HELD', 'LEASE_LOST')
}

/**
 * Waits before the database is opened again, the longer the more failures there were in a row; says so, and lets go of those who
 * hold something still meanwhile.
 */
export async function pauseBeforeRetry(
  { requests, settings, source }: Pick<Session, 'requests' | 'settings' | 'source'>,
  { message }: HoldfastError,
  failures: number,
): Promise<void> {
  const delayMs = Math.min(lastDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 10))
  // The first failure is most often over with the next try.
  if (failures > 1) requests.putOff(requests.takeSyncs(), notFollowedNow(source.location, message))
  settings.onEvent({ kind: 'retrying', what: 'database', message, delayMs, failures })
  try {
    await settings.clock.sleep(delayMs, requests.stopSignal)
  } catch (thrown) {
    if (!requests.stopping) throw thrown
  }
}
