import { runInEngine } from '../engine/run-in-engine.ts'
import type { StorageLink } from '../engine/storage-link.ts'
import { BackupError, HoldfastError, type PartialBackup, toHoldfastError } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Repository } from '../repository/repository.ts'
import type { Progress } from '../util/progress.ts'
import type { BackupResult, CreateBackupOptions } from './backup-options.ts'
import { type BackupRequest, backupApi } from './engine-api.ts'
import type { NamingPlace } from './identity.ts'
import type { DatabaseToBackUp, EngineSettings, NamedDatabase } from './manager-options.ts'
import { SqliteDatabase } from './sqlite-database.ts'

const program = { beside: import.meta.url, name: 'engine', api: backupApi }

export interface ManagedDatabaseContext {
  readonly repository: Repository
  readonly link: StorageLink
  readonly engine: EngineSettings | undefined
  /** The name that is given with the source is one that was only made of the path: where the user could have given one. */
  readonly unnamedIn?: NamingPlace | undefined
}

/** One database of a manager. */
export class ManagedDatabase {
  readonly name: string
  readonly #source: DatabaseToBackUp
  /** Given by the user: then it may also be a name that the repository knows from another place. */
  readonly #givenName: string | undefined
  readonly #context: ManagedDatabaseContext

  constructor(from: DatabaseToBackUp | NamedDatabase, context: ManagedDatabaseContext) {
    const { source, database } = 'source' in from ? from : { source: from, database: undefined }
    this.#source = source
    this.#givenName = database
    this.#context = context
    this.name = database ?? source.defaultName
  }

  /** Where its user could have given it a name, and did not; undefined if it has one that is meant. */
  get unnamedIn(): NamingPlace | undefined {
    return this.#context.unnamedIn ?? (this.#givenName === undefined ? 'command' : undefined)
  }

  get repository(): DatabaseRepository {
    return this.#context.repository.database(this.name)
  }

  /** As the source names its place; of a SQLite database the absolute path. */
  get location(): string {
    return this.#source.location
  }

  /** Path of the database. @throws DATABASE_UNSUPPORTED for a source that is no SQLite database */
  fileToFollow(): string {
    const { kind, location } = this.#source
    if (this.#source instanceof SqliteDatabase) return location
    throw new HoldfastError('DATABASE_UNSUPPORTED', `A source of the kind "${kind}" cannot be followed.`, {
      object: location,
      hint: 'SQLite databases can be: give sqlite(path) as the source. Others can be backed up at intervals.',
    })
  }

  /** @throws BackupError, also when the engine dies */
  async backUp(options: CreateBackupOptions): Promise<BackupResult> {
    const startedAt = Date.now()
    let last: Progress | undefined
    const onProgress = (progress: Progress) => {
      last = progress
      options.onProgress?.(progress)
    }
    try {
      return await this.#run({ ...options, onProgress })
    } catch (thrown) {
      throw this.failure(thrown, options, startedAt, last)
    }
  }

  /** A failed backup is told as a BackupError, wherever it failed. */
  failure(
    thrown: unknown,
    { type }: Pick<CreateBackupOptions, 'type'>,
    startedAt: number,
    last?: Progress,
  ): BackupError {
    const error = toHoldfastError(thrown, this.#source.location)
    if (error instanceof BackupError) return error
    const partial: PartialBackup = {
      database: this.name,
      type,
      phase: last?.phase ?? 'start',
      bytesRead: last?.phase === 'copy' ? last.done : 0,
      bytesStored: 0,
      startedAt,
    }
    const { code, message, object, hint, cause } = error
    return new BackupError(code, message, partial, { object, hint, cause })
  }

  async #run({ signal, onProgress, ...request }: CreateBackupOptions): Promise<BackupResult> {
    const { link, engine, repository, unnamedIn } = this.#context
    const named: BackupRequest = { ...request, database: this.#givenName, unnamedIn }
    const source = this.#source
    if (source instanceof SqliteDatabase) {
      const { location: path, defaultName } = source
      const input = { path, defaultName, storage: link.address, request: named }
      const running = { ...engine, handlers: link.handlers, signal, onEvent: onProgress }
      return await runInEngine(program, 'createBackup', input, running)
    }
    const { createBackup } = await import('./create-backup.ts')
    return await createBackup(source, repository, { ...named, signal, onProgress })
  }
}

/** JavaScript lets anything through. @throws USAGE */
function requireDatabase(given: DatabaseToBackUp | NamedDatabase | undefined): void {
  if (given === undefined) throw nothingGiven()
  const source = typeof given === 'object' && given !== null && 'source' in given ? given.source : given
  if (typeof source === 'object' && source !== null && typeof source.defaultName === 'string') return
  throw new HoldfastError('USAGE', `A ${typeof source} is no database to back up.`, {
    hint: 'Wrap the path of a SQLite database: sqlite("data/app.db").',
  })
}

function nothingGiven(): HoldfastError {
  return new HoldfastError('USAGE', 'There is no database to back up.', {
    hint: 'Give "source", such as sqlite("data/app.db"), or "sources".',
  })
}

/** The databases by their names in the repository. @throws USAGE if two have one name, or if there is none */
export function byName(
  sources: readonly (DatabaseToBackUp | NamedDatabase)[],
): Map<string, DatabaseToBackUp | NamedDatabase> {
  const named = new Map<string, DatabaseToBackUp | NamedDatabase>()
  for (const source of sources) {
    requireDatabase(source)
    const name = 'source' in source ? source.database : source.defaultName
    if (named.has(name)) {
      throw new HoldfastError('USAGE', `Two of the databases would have the name "${name}" in the repository.`, {
        object: name,
        hint: 'Give one of them another: { source: sqlite(path), database: "name" }.',
      })
    }
    named.set(name, source)
  }
  if (named.size > 0) return named
  throw nothingGiven()
}
