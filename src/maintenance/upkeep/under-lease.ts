import { Room } from '../../backup/room.ts'
import { HoldfastError } from '../../errors.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import type { UpkeepOptions } from './upkeep-options.ts'

/**
 * Runs upkeep under the caller's lease, or under one of its own. Its signal fires when the lease is lost, too.
 * @throws LEASE_HELD, LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED, and what the work throws
 */
export async function underLease<T>(
  database: DatabaseRepository,
  purpose: string,
  { lease: held, leaseWaitMs: waitMs, signal }: UpkeepOptions,
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
