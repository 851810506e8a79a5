import { HoldfastError } from '../errors.ts'
import type { Pause } from '../history/pause.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { GapRecord } from '../history/windows.ts'
import { backupIdOfKey } from './layout.ts'
import type { BackupManifest } from './manifest.ts'

/** All that is known of a database from one listing and its manifests. */
export interface Catalog {
  readonly database: string
  /** In order of their names: by `from`, then `to`. */
  readonly segments: readonly SegmentInfo[]
  /** Oldest first. */
  readonly backups: readonly BackupManifest[]
  /** Stretches of which the capture knows nothing, and why; in order. */
  readonly gaps: readonly GapRecord[]
  /** Stretches of which every commit is known, but not when each was made; in order. */
  readonly pauses: readonly Pause[]
  /** Objects that are not what their names say; empty in a sound repository. */
  readonly problems: readonly { readonly key: string; readonly problem: string }[]
}

/** Its database was checked, and passed. One that was not checked is not known to be damaged, nor to be sound. */
export function isSound({ damaged, validation }: BackupManifest): boolean {
  return !damaged && validation.level !== 'none'
}

/** The newest backup whose database is known to have been sound; where none was ever checked, the newest not known to be damaged. */
export function newestGoodBackup(backups: readonly BackupManifest[]): BackupManifest | undefined {
  return backups.findLast(isSound) ?? backups.findLast(({ damaged }) => !damaged)
}

/** A backup by id, an unambiguous beginning of it, or its name. @throws BACKUP_NOT_FOUND; INTEGRITY if its manifest cannot be read */
export function findBackup(catalog: Catalog, idOrName: string): BackupManifest {
  const named =
    catalog.backups.find(({ id }) => id === idOrName) ?? catalog.backups.find(({ name }) => name === idOrName)
  if (named !== undefined) return named
  const matches = idOrName === '' ? [] : catalog.backups.filter((backup) => backup.id.startsWith(idOrName))
  const [only, another] = matches
  if (only !== undefined && another === undefined) return only
  const unreadable = only === undefined && idOrName !== '' ? unreadableManifest(catalog, idOrName) : undefined
  if (unreadable !== undefined) throw unreadable
  const message =
    matches.length > 1
      ? `"${idOrName}" is the beginning of ${matches.length} backups of ${catalog.database}: ${matches.map(({ id }) => id).join(', ')}.`
      : `${catalog.database} has no backup with the id or name "${idOrName}".`
  throw new HoldfastError('BACKUP_NOT_FOUND', message, {
    object: idOrName,
    hint: `See them with "holdfast list ${catalog.database}".`,
  })
}

/** A backup that is there by its object's name must not be called unknown because its content broke. */
function unreadableManifest(catalog: Catalog, beginning: string): HoldfastError | undefined {
  const found = catalog.problems.find(({ key }) => backupIdOfKey(key)?.startsWith(beginning))
  if (found === undefined) return undefined
  return new HoldfastError('INTEGRITY', `Backup ${backupIdOfKey(found.key)} cannot be used. ${found.problem}`, {
    object: found.key,
    hint: 'Its state may still be restorable by LSN or time: see "holdfast points".',
  })
}
