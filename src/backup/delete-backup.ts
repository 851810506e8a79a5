import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { planDeletion } from '../history/dependents.ts'
import { toLsn } from '../history/lsn.ts'
import { isReachable, type LsnRange, latestPoint, reachableLsns, reachedSegments } from '../history/reachable.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import { type Catalog, findBackup, newestGoodBackup } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { followedRanges } from '../repository/followed-ranges.ts'
import { knownLease } from '../repository/known-lease.ts'
import { manifestKey } from '../repository/layout.ts'
import type { Lease } from '../repository/lease.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { refuseMirror } from '../repository/mirror-record.ts'
import {
  nextDeleted,
  nextLetGo,
  outOfTrash,
  type RetentionRecord,
  readRetention,
  updateRetention,
  withPin,
} from '../repository/retention-record.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { settlePending, type UnderLeaseOptions, underLease } from './under-lease.ts'

export interface DeleteBackupOptions extends OperationOptions {
  /** Also delete the newest backup whose database was sound; default false. Backups that others need are never deleted. */
  readonly force?: boolean | undefined
  /** Say what would go, without deleting; default false. Works also while somebody else writes. */
  readonly dryRun?: boolean | undefined
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
}

export interface DeletedBackup {
  readonly backup: BackupManifest
  readonly freedBytes: number
  /** Object keys. */
  readonly deletedSegments: readonly string[]
}

/**
 * Deletes one backup and the segments that nothing else needs: no other backup, and no commit that was followed. The manifest goes first: what is left after a crash is
 * harmless.
 * @param lease of whoever follows the database, who will build on its newest state and may be storing a segment: both stay
 * @throws BACKUP_NOT_FOUND, BACKUP_NEEDED, BACKUP_PINNED, MIRROR, INTEGRITY, LEASE_HELD
 */
export async function deleteBackup(
  database: DatabaseRepository,
  idOrName: string,
  { lease: held, ...options }: DeleteBackupOptions & Pick<UnderLeaseOptions, 'lease'> = {},
): Promise<DeletedBackup> {
  if (options.dryRun === true) {
    await refuseMirror(database.storage, options)
    const catalog = await database.catalog(options)
    const lease = await knownLease(database, { signal: options.signal })
    const isFollowed = lease?.isHeld === true && lease.document.purpose === 'follow'
    return resultOf(await planned(database, catalog, idOrName, { ...options, isFollowed }))
  }
  return await underLease(database, 'delete', { ...options, lease: held }, async (lease, signal) => {
    const catalog = await database.catalog({ signal })
    assertListed(database, catalog, lease)
    const isFollowed = held !== undefined
    const { backup, segments } = await planned(database, catalog, idOrName, { ...options, isFollowed, signal })
    await settlePending(lease, catalog)
    const going = { backup, segments: segments.filter(({ key }) => key !== lease.pending) }
    await lease.confirm()
    await carryOut(database, catalog, going, { ...options, signal })
    return resultOf(going)
  })
}

/** Without it, nothing would say any more that the state was promised which following goes on from. */
function refuseFollowed(catalog: Catalog, backup: BackupManifest, newest: number): void {
  const others = catalog.backups.filter(({ id }) => id !== backup.id)
  if (latestPoint(acknowledgedSegments({ ...catalog, backups: others }))?.lsn === newest) return
  throw new HoldfastError('BACKUP_NEEDED', `What is followed goes on from the state of backup ${backup.id}.`, {
    object: backup.id,
    hint: 'Delete it after the next commit, or once another backup has been made.',
  })
}

interface Going {
  readonly backup: BackupManifest
  readonly segments: readonly SegmentInfo[]
}

function resultOf({ backup, segments }: Going): DeletedBackup {
  return {
    backup,
    freedBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    deletedSegments: segments.map(({ key }) => key),
  }
}

async function planned(
  database: DatabaseRepository,
  catalog: Catalog,
  idOrName: string,
  {
    force = false,
    isFollowed,
    signal,
  }: Pick<DeleteBackupOptions, 'force' | 'signal'> & { readonly isFollowed: boolean },
): Promise<Going> {
  const [problem] = catalog.problems
  if (problem !== undefined) {
    throw new HoldfastError(
      'INTEGRITY',
      `Nothing is deleted while an object cannot be read: ${problem.key}. ${problem.problem}`,
      {
        object: problem.key,
        hint: 'Run "holdfast verify", and mend or remove that object first.',
      },
    )
  }
  const backup = findBackup(catalog, idOrName)
  const record = await readRetention(database, { signal })
  refusePinned(withPin(backup, record))
  if (!force) refuseNewestGood(catalog, backup)
  const newest = isFollowed ? latestPoint(acknowledgedSegments(catalog)) : undefined
  const { segments } = deletionOf({ ...catalog, segments: lasting(catalog, record) }, backup, [
    ...followedRanges(catalog),
    ...(newest === undefined ? [] : [{ first: newest.lsn, last: newest.lsn }]),
  ])
  if (newest !== undefined) refuseFollowed(catalog, backup, newest.lsn)
  return { backup, segments }
}

async function carryOut(
  database: DatabaseRepository,
  catalog: Catalog,
  { backup, segments }: Going,
  { now = Date.now(), signal }: Pick<DeleteBackupOptions, 'now' | 'signal'>,
): Promise<void> {
  const others = catalog.backups.filter(({ id }) => id !== backup.id)
  const keys = [manifestKey(database.name, backup), ...segments.map(({ key }) => key)]
  // A chain may have been shortened since, so that another that names this one as its parent no longer needs it.
  const noted = (record: RetentionRecord): RetentionRecord => {
    refusePinned(withPin(backup, record))
    return { ...record, letGo: nextLetGo(record, [backup], others), deleted: nextDeleted(record, keys, now) }
  }
  try {
    await updateRetention(database, noted, { signal })
  } catch (error) {
    // On a full disk, making room matters more than what mirrors learn of it.
    if (!hasCode(error, 'DISK_FULL') || others.some(({ parent }) => parent === backup.id)) throw error
  }
  await database.deleteManifest(backup)
  for (const { key } of segments) await database.storage.delete(key)
}

/**
 * Where listings lag, a backup that needs what is to be deleted may not be in sight yet: its absence from a list decides nothing.
 * @throws STORAGE_TRANSIENT
 */
export function assertListed(
  { repository }: DatabaseRepository,
  { database, segments, backups }: Catalog,
  { lsn }: Lease,
): void {
  const newest = segments.reduce((most, { to }) => Math.max(most, to), 0)
  if (repository.capabilities.consistentList || Math.max(newest, ...backups.map((backup) => backup.lsn)) >= lsn) return
  throw new HoldfastError('STORAGE_TRANSIENT', `The storage does not list LSN ${lsn} of ${database} yet.`, {
    object: database,
    hint: 'Try again in a while. If the last backup was interrupted, make another one first.',
  })
}

/**
 * The segments that can be counted on. What retention is about to delete is no way to what is kept, unless it already is the only one: then
 * it will stay.
 */
function lasting({ segments, backups }: Catalog, record: RetentionRecord): readonly SegmentInfo[] {
  const left = outOfTrash(segments, record)
  const isReached = new Set(reachedSegments(left).map(({ segment }) => segment))
  const reachable = reachableLsns(left)
  const isEnough =
    reachedSegments(segments).every(({ segment: { key }, segment }) => record.trash[key] || isReached.has(segment)) &&
    backups.every(({ lsn }) => isReachable(reachable, toLsn(lsn)))
  return isEnough ? left : segments
}

function deletionOf(catalog: Catalog, backup: BackupManifest, stays: readonly LsnRange[]) {
  const backups = catalog.backups.map((manifest) => ({ id: manifest.id, lsn: toLsn(manifest.lsn), manifest }))
  try {
    const deletion = planDeletion(catalog.segments, backups, { id: backup.id, lsn: toLsn(backup.lsn) }, stays)
    if (deletion.dependents.length === 0) return deletion
    const needing = deletion.dependents.map(({ manifest }) => manifest)
    throw backupNeeded(backup, needing, newestGoodBackup(catalog.backups))
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw toHoldfastError(error)
    // Nothing leads to this one either: without its manifest nothing is lost that could be had.
    if (!isReachable(reachableLsns(catalog.segments), toLsn(backup.lsn))) return { dependents: [], segments: [] }
    throw new HoldfastError(
      'INTEGRITY',
      `Nothing is deleted while another backup cannot be restored. ${error.message}`,
      {
        object: backup.id,
        cause: error,
        hint: 'Run "holdfast verify" to see what is missing.',
      },
    )
  }
}

/**
 * Each of the others can be deleted once nothing builds on it any more.
 * @param needing oldest first
 */
function backupNeeded(
  backup: BackupManifest,
  needing: readonly BackupManifest[],
  newestGood: BackupManifest | undefined,
): HoldfastError {
  const newestFirst = needing.toReversed()
  const listed = newestFirst.map(({ id, name }) => (name === null ? id : `${id} (${name})`)).join(', ')
  const pinned = newestFirst.filter((other) => other.pinned).map(({ id }) => id)
  const first = newestFirst.some(({ id }) => id === newestGood?.id) ? 'Make a full backup, then delete' : 'Delete'
  const unpinning = pinned.length === 0 ? '' : ` Unpin first: ${pinned.join(', ')}.`
  return new HoldfastError('BACKUP_NEEDED', `Backup ${backup.id} is needed to restore ${listed}.`, {
    object: backup.id,
    hint: `${first} ${needing.length === 1 ? 'that one' : 'those, in this order,'} before this one.${unpinning}`,
  })
}

function refusePinned({ id, name, pinned, type }: BackupManifest): void {
  if (!pinned) return
  const why = type === 'snapshot' ? 'as every snapshot is until it is unpinned' : 'so it is to be kept'
  throw new HoldfastError('BACKUP_PINNED', `Backup ${id}${name === null ? '' : ` "${name}"`} is pinned, ${why}.`, {
    object: id,
    hint: `If it may go: holdfast unpin ${id}, then delete it.`,
  })
}

/** A database must not be left without a backup of a sound state because a damaged one is newer. */
function refuseNewestGood(catalog: Catalog, backup: BackupManifest): void {
  const newestGood = newestGoodBackup(catalog.backups)
  if (newestGood?.id !== backup.id) return
  throw new HoldfastError('BACKUP_NEEDED', `Backup ${backup.id} is the newest one of a sound database.`, {
    object: backup.id,
    hint: 'Make a newer backup first; or, if you really mean it, use --force.',
  })
}
