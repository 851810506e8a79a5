import { hasCode } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { knownLease } from './known-lease.ts'
import { Lease } from './lease.ts'
import type { LeaseDocument } from './lease-document.ts'

export interface FreeLeaseOptions extends OperationOptions {
  /** Id of a folder that this process has locked: only a lease that was left by a process with that folder is freed, and that at once. */
  readonly home?: string | undefined
}

/** The lease of a follower that has not let go, and whether it is alive as far as is known. A damaged one tells of nobody. @throws STORAGE_*, ABORTED */
export async function followingLease(
  database: DatabaseRepository,
  options: OperationOptions = {},
): Promise<{ readonly document: LeaseDocument; readonly isHeld: boolean } | undefined> {
  const state = await knownLease(database, options)
  return state === undefined || state.document.released || state.document.purpose !== 'follow' ? undefined : state
}

/**
 * Lets go in the place of a follower that is gone and will not come back, so that nobody is told of it any more.
 * @returns whether there was such a lease, and it is free now
 * @throws STORAGE_*, DISK_FULL, ABORTED
 */
export async function freeLease(
  database: DatabaseRepository,
  { home, signal }: FreeLeaseOptions = {},
): Promise<boolean> {
  const lease = await followingLease(database, { signal })
  if (lease === undefined) return false
  if (home === undefined ? lease.isHeld : lease.document.home !== home) return false
  try {
    await using _ = await Lease.acquire(database, { purpose: 'forget', home, signal })
    return true
  } catch (error) {
    if (hasCode(error, 'LEASE_HELD')) return false
    throw error
  }
}
