import { type HoldfastError, hasCode } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { leaseState } from './lease.ts'

export interface KnownLeaseOptions extends OperationOptions {
  /** Told if it is damaged. */
  readonly onDamage?: ((error: HoldfastError) => void) | undefined
}

/**
 * The lease as it stands, for those who only look. A damaged one says nothing of who is alive, and counts as none; its holder, if there is
 * one, replaces it. @throws STORAGE_*, ABORTED
 */
export async function knownLease(
  database: DatabaseRepository,
  { onDamage, ...options }: KnownLeaseOptions = {},
): Promise<Awaited<ReturnType<typeof leaseState>>> {
  try {
    return await leaseState(database, options)
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY')) throw error
    onDamage?.(error)
    return undefined
  }
}
