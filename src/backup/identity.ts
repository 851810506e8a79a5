import { HoldfastError, hasCode } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { databaseNameFrom } from '../repository/layout.ts'
import type { DatabaseRecord } from '../repository/marker.ts'
import type { Repository } from '../repository/repository.ts'
import type { BackupSource } from '../source/source.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { isSameFile } from '../util/is-same-file.ts'
import type { CreateBackupOptions } from './backup-options.ts'

/** Where users say what a database is to be called. */
export const namingPlaces = ['command', 'configuration'] as const
export type NamingPlace = (typeof namingPlaces)[number]

/** What a database is to be called in the repository. */
export interface NameChoice {
  /** Name in the repository; default: the source's. */
  readonly database?: string | undefined
  /** That name was only made of the path: where the user could have given one, and did not. Undefined: it is meant. */
  readonly unnamedIn?: NamingPlace | undefined
}

type NameOptions = NameChoice & OperationOptions

/** The name that the user gave, or one made of the source's. */
export function givenName(source: BackupSource, options: Pick<NameChoice, 'database'>): string {
  return options.database ?? databaseNameFrom(source.defaultName)
}

/**
 * The database in the repository that a source belongs to: the one with the name given, else the one that was backed up from
 * that place before, whatever its name, else one named after the file. @throws NAME_TAKEN
 */
export async function chooseDatabase(
  source: BackupSource,
  repository: Repository,
  options: NameOptions,
): Promise<DatabaseRepository> {
  const database = repository.database(givenName(source, options))
  if (options.database !== undefined) {
    await checkIdentity(source, database, options)
    return database
  }
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
 * @throws NAME_TAKEN, STORAGE_*
 */
export async function checkIdentity(
  source: Pick<BackupSource, 'location'>,
  database: DatabaseRepository,
  options: NameOptions,
): Promise<void> {
  if (isMeant(options)) return
  const record = await readRecord(database, options)
  if (record !== undefined && record !== 'unreadable') await requireSamePlace(source, database, record, options)
}

function isMeant({ database, unnamedIn }: NameChoice): boolean {
  return database !== undefined && unnamedIn === undefined
}

async function requireSamePlace(
  source: Pick<BackupSource, 'location'>,
  database: DatabaseRepository,
  { location }: DatabaseRecord,
  options: NameChoice,
): Promise<void> {
  if (!(await isSameFile(location, source.location))) throw nameTaken(source, database, location, options)
}

export interface RecordOptions extends NameOptions {
  /** What this machine keeps shows that it has written this history itself. Default false. */
  readonly isKnownHere?: boolean | undefined
}

/**
 * The record is only a note: if it is lost or broken, the manifests tell whose history this is, or whoever wrote it last does, and the
 * work goes on. To be called under the lease: until that was taken, another could have begun a history.
 * Returns how the record is to be written, or undefined if it stands. @throws NAME_TAKEN
 */
export async function recordToWrite(
  source: BackupSource,
  database: DatabaseRepository,
  catalog: Catalog,
  options: RecordOptions,
): Promise<'new' | 'again' | undefined> {
  const record = await readRecord(database, options)
  if (record !== undefined && record !== 'unreadable') {
    if (!isMeant(options)) await requireSamePlace(source, database, record, options)
    return undefined
  }
  const [first] = catalog.backups
  if (first === undefined && record === undefined) return 'new'
  const isKnown = options.isKnownHere === true || catalog.backups.some(({ location }) => location === source.location)
  if (!isMeant(options) && !isKnown)
    throw nameTaken(source, database, first?.location ?? 'it cannot be told which', options)
  return 'again'
}

/** Also a record of another database that was put in its place is not to be trusted. */
async function readRecord(
  database: DatabaseRepository,
  options: OperationOptions,
): Promise<DatabaseRecord | 'unreadable' | undefined> {
  try {
    const record = await database.record(options)
    return record === undefined || record.name === database.name ? record : 'unreadable'
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) return 'unreadable'
    throw error
  }
}

function nameTaken(
  { location }: Pick<BackupSource, 'location'>,
  { name }: DatabaseRepository,
  other: string,
  { unnamedIn = 'command' }: NameChoice,
): HoldfastError {
  return new HoldfastError(
    'NAME_TAKEN',
    `The name ${name} is that of another database in this repository: ${other}. So ${location} is not backed up.`,
    { object: location, hint: nameTakenHint[unnamedIn](name) },
  )
}

/** What to do where a name is that of another database. */
export const nameTakenHint: Readonly<Record<NamingPlace, (name: string) => string>> = {
  command: (name) =>
    `Choose a name of its own with --database; or, if it is that database in a new place, say so with --database ${name}.`,
  configuration: (name) =>
    `Give its entry in the configuration a "name:" of its own; or, if it is that database in a new place, "name: ${name}". A file that a pattern finds needs an entry with its "path:" before that of the pattern.`,
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
