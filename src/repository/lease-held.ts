import { HoldfastError } from '../errors.ts'
import { isInFuture } from '../util/clock-margin.ts'
import { heldHint } from '../util/held-hint.ts'
import { leaseKey } from './layout.ts'
import type { LeaseDocument } from './lease-document.ts'

/** No holder takes a lease for longer at a time. */
export const longestTtlMs = 3_600_000

/**
 * @param name of what only one may write at a time
 * @param key of the lease
 */
export function leaseHeld(
  name: string,
  { owner, purpose, acquiredAt, expiresAt }: Pick<LeaseDocument, 'owner' | 'purpose' | 'acquiredAt' | 'expiresAt'>,
  key: string = leaseKey(name),
): HoldfastError {
  // Such a one does not free itself in anybody's lifetime, if its holder is gone.
  const isFromAhead = isInFuture(expiresAt, Date.now() + longestTtlMs)
  const hint = `The clock of ${owner.host} was ahead then, or that of this machine is behind: it ends at ${expiresAt}. If that process is gone for good, delete ${key} in the repository.`
  return new HoldfastError(
    'LEASE_HELD',
    `Another process works on ${name}: ${purpose} by process ${owner.pid} on ${owner.host}, since ${acquiredAt}.`,
    { object: name, hint: isFromAhead ? hint : heldHint },
  )
}
