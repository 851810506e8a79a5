/** Upkeep on a full disk: what can go without the merges goes first, since they need room themselves. */
import { Room } from '../../backup/room.ts'
import { settlePending } from '../../backup/under-lease.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { StatesToKeep } from '../../history/plan-maintenance.ts'
import { inBoth, reachableLsns } from '../../history/reachable.ts'
import { removableSegments } from '../../history/removable-segments.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import type { VerificationLedger } from '../../repository/verification-ledger.ts'
import { counted } from '../../util/counted.ts'
import { formatBytes } from '../../util/format-bytes.ts'
import { type CarriedOut, mergeAll, planFor } from './carry-out.ts'
import { type Disposal, type DisposalOptions, dispose } from './dispose.ts'
import { refuseKnownDamage, refuseLoss } from './refuse-damage.ts'
import type { MergedSegment, UpkeepOptions } from './upkeep-options.ts'

export interface RoomToMake {
  readonly states: StatesToKeep
  /** Backups whose manifests go, and those that stay. */
  readonly drop: readonly BackupManifest[]
  readonly kept: readonly BackupManifest[]
  readonly ledger: VerificationLedger
}

export interface MergedInRoom extends CarriedOut {
  /** What had to go before the merges: segments, and whether the backups did that were to go. */
  readonly early: { readonly deleted: readonly SegmentInfo[]; readonly dropped: boolean }
}

/**
 * As {@link mergeAll}. Where there is no room for a merge, what no state that is to be kept needs even without it is let go first, as
 * {@link dispose} does it.
 * @returns undefined, with nothing deleted, if a backup that was to go was pinned meanwhile
 * @throws DISK_FULL if there is no room after that either; INTEGRITY, LEASE_LOST, STORAGE_*, ABORTED
 */
export async function mergeInRoom(
  database: DatabaseRepository,
  lease: Lease,
  listed: readonly SegmentInfo[],
  needs: RoomToMake,
  options: DisposalOptions & UpkeepOptions,
): Promise<MergedInRoom | undefined> {
  const { states } = needs
  const merged: MergedSegment[] = []
  const mergeOf = (segments: readonly SegmentInfo[]) => mergeAll(database, lease, segments, states, options, merged)
  try {
    return { ...(await mergeOf(listed)), early: { deleted: [], dropped: false } }
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL')) throw error
    const room = await makeRoom(database, lease, needs, error, options)
    if (room === undefined) return undefined
    const early = { deleted: room.deleted, dropped: true }
    return { ...(await mergeOf(room.segments)), early }
  }
}

/**
 * Lets go of what {@link mergeInRoom} says.
 * @param noRoom what a merge ended with
 * @returns what was deleted, and what is there after that; undefined, with nothing deleted, if a backup that was to go was pinned meanwhile
 * @throws DISK_FULL if nothing could be deleted; INTEGRITY, LEASE_LOST, STORAGE_*, ABORTED
 */
export async function makeRoom(
  database: DatabaseRepository,
  lease: Lease,
  { states, drop, kept, ledger }: RoomToMake,
  noRoom: HoldfastError,
  options: DisposalOptions & Pick<UpkeepOptions, 'limits'>,
): Promise<(Disposal & { readonly segments: readonly SegmentInfo[] }) | undefined> {
  const { signal } = options
  // Some merges may have been made.
  const catalog = await database.catalog({ signal })
  const { segments } = catalog
  const { deletions, lost } = planFor(segments, states, options.limits)
  const candidates = deletions.filter(({ key }) => states.segments?.has(key) !== true)
  const stay = { lsns: [...states.lsns], ranges: inBoth(reachableLsns(segments), states.ranges) }
  const removable = removableSegments(segments, candidates, stay) ?? []
  const going = new Set(removable.map(({ key }) => key))
  const remaining = segments.filter(({ key }) => !going.has(key))
  refuseKnownDamage(remaining, ledger)
  await refuseLoss(database, remaining, kept, { signal })
  await settlePending(lease, catalog)
  const what = { segments, plan: { deletions: removable, lost }, drop, records: [], kept }
  const disposal = await disposeWithRoom(database, () => dispose(database, lease, what, options))
  if (disposal === undefined) return undefined
  if (disposal.deleted.length === 0) throw stillFull(noRoom, disposal, drop.length)
  const gone = new Set(disposal.deleted.map(({ key }) => key))
  return { ...disposal, segments: segments.filter(({ key }) => !gone.has(key)) }
}

/** What is written down before anything goes needs some room too. */
async function disposeWithRoom<T>(database: DatabaseRepository, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL')) throw error
    await using room = new Room(database)
    if (!(await room.make())) throw error
    return await work()
  }
}

function stillFull(cause: HoldfastError, { waiting }: Disposal, dropped: number): HoldfastError {
  const { message, object } = cause
  const bytes = waiting.reduce((sum, { segment }) => sum + segment.bytes, 0)
  const hint = [
    ...(dropped === 0 ? [] : [`${counted(dropped, 'backup')} that no rule keeps were let go all the same.`]),
    ...(bytes === 0 ? [] : [`When the time of grace has passed, or with none, ${formatBytes(bytes)} can be deleted.`]),
    'Free some space on this disk, then run it again.',
  ].join(' ')
  return new HoldfastError('DISK_FULL', message, { object, cause, hint })
}
