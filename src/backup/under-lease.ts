import { HoldfastError } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Lease } from '../repository/lease.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { Room } from './room.ts'

export interface UnderLeaseOptions extends OperationOptions {
  /** The database's lease, if the caller holds it already; it keeps it. Default: one is taken, and released. */
  readonly lease?: Lease | undefined
  /** How long to wait for another holder, in milliseconds; default 0. */
  readonly leaseWaitMs?: number | undefined
}

/**
 * Does something under the caller's lease, or under one of its own. Its signal fires when the lease is lost, too.
 * @throws LEASE_HELD, LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED, and what the work throws
 */
export async function underLease<T>(
  database: DatabaseRepository,
  purpose: string,
  { lease: held, leaseWaitMs: waitMs, signal }: UnderLeaseOptions,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await using room = new Room(database)
  await using own = held === undefined ? await room.acquireLease({ purpose, waitMs, signal }) : undefined
  const lease = held ?? own
  if (lease === undefined) throw new HoldfastError('INTERNAL', 'There is no lease to work under.')
  const signals = signal === undefined ? [lease.signal] : [signal, lease.signal]
  try {
    return await work(lease, AbortSignal.any(signals))
  } catch (error) {
    if (lease.signal.aborted && signal?.aborted !== true) throw lease.signal.reason
    throw error
  }
}

/**
 * A base or delta that was begun, and that a backup's manifest names since, is complete. That must be written down before the manifest
 * can go, or the next backup would take the segment for a leftover.
 */
export async function settlePending(lease: Lease, { backups }: Catalog): Promise<void> {
  if (lease.pending === undefined || !backups.some(({ segment }) => segment === lease.pending)) return
  lease.complete()
  await lease.confirm()
}
