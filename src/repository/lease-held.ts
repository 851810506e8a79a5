import { HoldfastError } from '../errors.ts'
import { heldHint } from '../util/held-hint.ts'
import type { LeaseDocument } from './lease-document.ts'

/** @param name of what only one may write at a time */
export function leaseHeld(
  name: string,
  { owner, purpose, acquiredAt }: Pick<LeaseDocument, 'owner' | 'purpose' | 'acquiredAt'>,
): HoldfastError {
  return new HoldfastError(
    'LEASE_HELD',
    `Another process works on ${name}: ${purpose} by process ${owner.pid} on ${owner.host}, since ${acquiredAt}.`,
    { object: name, hint: heldHint },
  )
}
