import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { planDeletion } from '../history/dependents.ts'
import { toLsn } from '../history/lsn.ts'
import { isReachable, reachableLsns, reachedSegments } from '../history/reachable.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { type Catalog, findBackup, newestGoodBackup } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { followedRanges } from '../repository/followed-ranges.ts'
import { manifestKey } from '../repository/layout.ts'
import type { Lease } from '../repository/lease.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import {
  nextDeleted,
  nextLetGo,
  outOfTrash,
  type RetentionRecord,
  readRetention,
  updateRetention,
} from '../repository/retention-record.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { Room } from './room.ts'

export interface DeleteBackupOptions extends OperationOptions {
  /** Also delete the newest backup whose database was sound; default false. Backups that others need are never deleted. */
  readonly force?: boolean | undefined
  /** Say what would go, without deleting; default false. */
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
 * harmless. @throws BACKUP_NOT_FOUND, BACKUP_NEEDED, INTEGRITY, LEASE_HELD
 */
export async function deleteBackup(
  database: DatabaseRepository,
  idOrName: string,
  options: DeleteBackupOptions = {},
): Promise<DeletedBackup> {
  const { signal, dryRun = false, force = false, now = Date.now() } = options
  await using room = new Room(database)
  await using lease = await room.acquireLease({ purpose: 'delete', signal })
  const catalog = await database.catalog({ signal })
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
  assertListed(database, catalog, lease)
  const backup = findBackup(catalog, idOrName)
  if (!force) refuseNewestGood(catalog, backup)
  const record = await readRetention(database, { signal })
  const { segments } = deletionOf({ ...catalog, segments: lasting(catalog, record) }, backup)
  const result = {
    backup,
    freedBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    deletedSegments: segments.map(({ key }) => key),
  }
  if (dryRun) return result
  await lease.confirm()
  const others = catalog.backups.filter(({ id }) => id !== backup.id)
  const keys = [manifestKey(database.name, backup), ...result.deletedSegments]
  // A chain may have been shortened since, so that another that names this one as its parent no longer needs it.
  const noted = (record: RetentionRecord): RetentionRecord => ({
    ...record,
    letGo: nextLetGo(record, [backup], others),
    deleted: nextDeleted(record, keys, now),
  })
  try {
    await updateRetention(database, noted, { signal })
  } catch (error) {
    // On a full disk, making room matters more than what mirrors learn of it.
    if (!hasCode(error, 'DISK_FULL') || others.some(({ parent }) => parent === backup.id)) throw error
  }
  await database.deleteManifest(backup)
  for (const { key } of segments) await database.storage.delete(key)
  return result
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

function deletionOf(catalog: Catalog, backup: BackupManifest) {
  const backups = catalog.backups.map(({ id, lsn, name }) => ({ id, lsn: toLsn(lsn), name }))
  try {
    const deletion = planDeletion(
      catalog.segments,
      backups,
      { id: backup.id, lsn: toLsn(backup.lsn) },
      followedRanges(catalog),
    )
    if (deletion.dependents.length === 0) return deletion
    const needing = deletion.dependents.map(({ id, name }) => (name === null ? id : `${id} (${name})`)).join(', ')
    throw new HoldfastError('BACKUP_NEEDED', `Backup ${backup.id} is needed to restore ${needing}.`, {
      object: backup.id,
      hint: 'Delete those first, the newest before the others; or make a full backup, after which the old ones can all go, the newest first.',
    })
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

/** A database must not be left without a backup of a sound state because a damaged one is newer. */
function refuseNewestGood(catalog: Catalog, backup: BackupManifest): void {
  const newestGood = newestGoodBackup(catalog.backups)
  if (newestGood?.id !== backup.id) return
  throw new HoldfastError('BACKUP_NEEDED', `Backup ${backup.id} is the newest one of a sound database.`, {
    object: backup.id,
    hint: 'Make a newer backup first; or, if you really mean it, use --force.',
  })
}
