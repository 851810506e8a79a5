import { HoldfastError } from '../../errors.ts'
import { findBackup } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { notePins } from '../../repository/known-pins.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import { refuseMirror } from '../../repository/mirror-record.ts'
import { readRetention, updateRetention, withPin } from '../../repository/retention-record.ts'
import type { OperationOptions } from '../../storage/storage.ts'

export interface PinOptions extends OperationOptions {
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
}

export interface PinnedBackup {
  /** As it is now. */
  readonly backup: BackupManifest
  /** False if it was so already. */
  readonly changed: boolean
}

/**
 * A pinned backup is kept by retention until it is unpinned. Goes on beside everything else: it needs no lease.
 * @throws BACKUP_NOT_FOUND also if retention is just letting it go; MIRROR, INTEGRITY, STORAGE_*, ABORTED
 */
export function pinBackup(database: DatabaseRepository, idOrName: string, options?: PinOptions): Promise<PinnedBackup> {
  return setPin(database, idOrName, true, options)
}

/** The other way round; a snapshot, which is pinned from the start, then counts like any other backup. */
export function unpinBackup(
  database: DatabaseRepository,
  idOrName: string,
  options?: PinOptions,
): Promise<PinnedBackup> {
  return setPin(database, idOrName, false, options)
}

async function setPin(
  database: DatabaseRepository,
  idOrName: string,
  pinned: boolean,
  { now = Date.now(), signal }: PinOptions = {},
): Promise<PinnedBackup> {
  await refuseMirror(database.storage, { signal })
  // The pins themselves are read anew: a listing may not show their document yet.
  const found = findBackup(await database.catalog({ signal }), idOrName)
  const backup = withPin(found, await readRetention(database, { signal }))
  if (backup.pinned === pinned) return { backup, changed: false }
  const pin = { pinned, at: new Date(now).toISOString() }
  await updateRetention(
    database,
    (record) => {
      if (record.dropping.includes(backup.id)) throw beingDropped(backup)
      return { ...record, pins: { ...record.pins, [backup.id]: pin } }
    },
    { signal },
  )
  if (pinned) await notePins(database, { signal })
  return { backup: { ...backup, pinned }, changed: true }
}

function beingDropped({ id }: BackupManifest): HoldfastError {
  return new HoldfastError('BACKUP_NOT_FOUND', `Backup ${id} is being deleted by retention at this moment.`, {
    object: id,
    hint: 'If it is still listed in a few minutes, its deletion was interrupted: then "holdfast expire" decides anew.',
  })
}
