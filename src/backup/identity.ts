import { HoldfastError, hasCode } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { databaseNameFrom } from '../repository/layout.ts'
import type { DatabaseRecord } from '../repository/marker.ts'
import type { Repository } from '../repository/repository.ts'
import type { BackupSource } from '../source/source.ts'
import type { CreateBackupOptions } from './backup-options.ts'

/** The name that the user gave, or one made of the source's. */
export function givenName(source: BackupSource, options: { readonly database?: string | undefined }): string {
  return options.database ?? databaseNameFrom(source.defaultName)
}

/**
 * The database in the repository that a source belongs to: the one with the name given, else the one that was backed up from
 * that place before, whatever its name, else one named after the file. @throws NAME_TAKEN
 */
export async function chooseDatabase(
  source: BackupSource,
  repository: Repository,
  options: { readonly database?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<DatabaseRepository> {
  const database = repository.database(givenName(source, options))
  if (options.database !== undefined) return database
  const record = await readRecord(database, options)
  if (record !== undefined && record !== 'unreadable' && record.location === source.location) return database
  for (const name of await repository.databaseNames(options)) {
    const other = repository.database(name)
    const known = name === database.name ? undefined : await readRecord(other, options)
    if (known !== undefined && known !== 'unreadable' && known.location === source.location) return other
  }
  await checkIdentity(source, database, options)
  return database
}

/**
 * Two databases whose files have one base name must not become one history by accident. A name that the user gave is meant.
 * @throws NAME_TAKEN
 */
export async function checkIdentity(
  source: BackupSource,
  database: DatabaseRepository,
  options: { readonly database?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (options.database !== undefined) return
  const record = await readRecord(database, options)
  if (record === undefined || record === 'unreadable' || record.location === source.location) return
  throw nameTaken(source, database, record.location)
}

/**
 * The record is only a note: if it is lost or broken, the manifests tell whose history this is, and the backup goes on.
 * Returns how the record is to be written, or undefined if it stands. @throws NAME_TAKEN
 */
export async function recordToWrite(
  source: BackupSource,
  database: DatabaseRepository,
  catalog: Catalog,
  options: { readonly database?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<'new' | 'again' | undefined> {
  const record = await readRecord(database, options)
  if (record !== undefined && record !== 'unreadable') return undefined
  const [first] = catalog.backups
  if (first === undefined && record === undefined) return 'new'
  const known = catalog.backups.some(({ location }) => location === source.location)
  if (options.database === undefined && !known)
    throw nameTaken(source, database, first?.location ?? 'it cannot be told which')
  return 'again'
}

/** Also a record of another database that was put in its place is not to be trusted. */
async function readRecord(
  database: DatabaseRepository,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<DatabaseRecord | 'unreadable' | undefined> {
  try {
    const record = await database.record(options)
    return record === undefined || record.name === database.name ? record : 'unreadable'
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) return 'unreadable'
    throw error
  }
}

function nameTaken(source: BackupSource, database: DatabaseRepository, other: string): HoldfastError {
  return new HoldfastError(
    'NAME_TAKEN',
    `The name ${database.name} is that of another database in this repository: ${other}.`,
    {
      object: source.location,
      hint: `Choose a name of its own with --database; or, if it is that database in a new place, say so with --database ${database.name}.`,
    },
  )
}

/** @throws USAGE if a snapshot has no name, NAME_TAKEN if another backup has it */
export function checkName(catalog: Catalog, { type, name }: CreateBackupOptions): void {
  if (name === undefined) {
    if (type !== 'snapshot') return
    throw new HoldfastError('USAGE', 'A snapshot needs a name.', { hint: 'Give one: --name before-migration.' })
  }
  if (!/^\S(.{0,98}\S)?$/u.test(name))
    throw new HoldfastError('USAGE', `"${name}" cannot be the name of a backup.`, {
      hint: 'Use up to 100 characters on one line.',
    })
  const holder = catalog.backups.find((backup) => backup.name === name)
  if (holder === undefined) return
  throw new HoldfastError('NAME_TAKEN', `Backup ${holder.id} of ${catalog.database} has the name "${name}" already.`, {
    object: name,
    hint: 'Choose another name.',
  })
}
