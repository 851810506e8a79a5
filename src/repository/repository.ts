import { randomUUID } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { HoldfastError, hasCode } from '../errors.ts'
import { probeStorage } from '../storage/probe.ts'
import { removeProbeLeftovers } from '../storage/probe-leftovers.ts'
import type { BackupStorage, OperationOptions, StorageCapabilities } from '../storage/storage.ts'
import { DatabaseRepository } from './database-repository.ts'
import { readDocument, writeDocument } from './documents.ts'
import { putInstructions } from './instructions.ts'
import {
  backupsPrefix,
  databaseNameFrom,
  databaseRecordKey,
  databasesPrefix,
  isDatabaseName,
  markerKey,
  mirrorKey,
  recoveryKey,
} from './layout.ts'
import { knownFeatures, layoutVersion, type RepositoryMarker, repositoryMarker } from './marker.ts'
import { refuseMirror } from './mirror-record.ts'

/** Where the segments and manifests of any number of databases lie, in one storage. */
export class Repository implements AsyncDisposable {
  readonly storage: BackupStorage
  readonly #marker: RepositoryMarker

  private constructor(storage: BackupStorage, marker: RepositoryMarker) {
    this.storage = storage
    this.#marker = marker
  }

  get id(): string {
    return this.#marker.id
  }

  get url(): string {
    return this.storage.url
  }

  /** What `holdfast.json` says. */
  get marker(): RepositoryMarker {
    return this.#marker
  }

  /** ISO 8601. */
  get createdAt(): string {
    return this.#marker.createdAt
  }

  /** What the storage was found able to do when the repository was made. */
  get capabilities(): StorageCapabilities {
    return this.#marker.capabilities
  }

  /**
   * Makes a repository, after probing what the storage can really do. A place left half-made by an interrupted `init` is
   * completed. @throws REPOSITORY_EXISTS, MIRROR for one that was begun and not completed, STORAGE_*
   */
  static async init(storage: BackupStorage, options: OperationOptions = {}): Promise<Repository> {
    if ((await storage.head(markerKey, options)) !== undefined) throw existing(storage)
    await refuseMirror(storage, options)
    await removeProbeLeftovers(storage, Date.now(), options)
    const marker: RepositoryMarker = {
      formatVersion: layoutVersion,
      id: randomUUID(),
      createdAt: new Date().toISOString(),
      features: [],
      capabilities: await probeStorage(storage),
    }
    await putInstructions(storage, options)
    try {
      await writeDocument(storage, 'repository', markerKey, marker, { ...options, ifAbsent: true })
    } catch (error) {
      if (hasCode(error, 'OBJECT_EXISTS')) throw existing(storage)
      throw error
    }
    return new Repository(storage, marker)
  }

  /** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, INTEGRITY, STORAGE_* */
  static async open(storage: BackupStorage, options: OperationOptions = {}): Promise<Repository> {
    const marker = await readMarker(storage, options)
    if (marker === undefined) throw await missing(storage, options)
    const unknown = marker.features.filter((feature) => !knownFeatures.includes(feature))
    if (marker.formatVersion > layoutVersion || unknown.length > 0) {
      const reason =
        unknown.length > 0
          ? `uses features that this Holdfast does not know (${unknown.join(', ')})`
          : `has layout version ${marker.formatVersion}; this Holdfast knows up to ${layoutVersion}`
      throw new HoldfastError('FORMAT_TOO_NEW', `The repository at ${storage.url} ${reason}.`, {
        object: storage.url,
        hint: 'Use a newer version of Holdfast.',
      })
    }
    return new Repository(storage, marker)
  }

  /** Names of the databases, sorted. What a first backup that failed leaves (a lease, perhaps a segment) is no database yet. */
  async databaseNames(options: OperationOptions = {}): Promise<string[]> {
    const names = new Set<string>()
    for await (const { key } of this.storage.list(databasesPrefix, options)) {
      const name = key.slice(databasesPrefix.length).split('/')[0]
      if (name === undefined || !isDatabaseName(name)) continue
      if (key === databaseRecordKey(name) || key.startsWith(backupsPrefix(name))) names.add(name)
    }
    return [...names].sort()
  }

  /** A database by its name, whether or not it exists yet. @throws USAGE for an illegal name */
  database(name: string): DatabaseRepository {
    return new DatabaseRepository(this, name)
  }

  /** A database by its name, or by the path that it was backed up from. @throws NAME_NOT_FOUND */
  async findDatabase(nameOrPath: string, options: OperationOptions = {}): Promise<DatabaseRepository> {
    const names = await this.databaseNames(options)
    if (names.includes(nameOrPath)) return this.database(nameOrPath)
    const path = resolve(nameOrPath)
    for (const name of names) {
      const database = this.database(name)
      const record = await database.record(options)
      if (record?.location === path) return database
    }
    // A path that is not known is that of another database, whatever its file is called.
    const byFileName = databaseNameFrom(nameOrPath)
    if (nameOrPath === basename(nameOrPath) && names.includes(byFileName)) return this.database(byFileName)
    const known = names.length === 0 ? 'it holds none yet' : `it holds ${names.join(', ')}`
    throw new HoldfastError(
      'NAME_NOT_FOUND',
      `The repository at ${this.url} has no database "${nameOrPath}": ${known}.`,
      {
        object: nameOrPath,
        hint: 'Give a name from that list, or the path of a database that was backed up here.',
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage.close()
  }
}

function existing(storage: BackupStorage): HoldfastError {
  return new HoldfastError('REPOSITORY_EXISTS', `There is a repository at ${storage.url} already.`, {
    object: storage.url,
    hint: 'It is ready to use; nothing was changed.',
  })
}

async function readMarker(storage: BackupStorage, options: OperationOptions): Promise<RepositoryMarker | undefined> {
  try {
    return await readDocument(storage, 'repository', repositoryMarker, markerKey, options)
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY')) throw error
    throw new HoldfastError('INTEGRITY', error.message, {
      object: markerKey,
      cause: error,
      hint: `Bring ${markerKey} back from a copy; or move it away and run "holdfast init" there: backups are found again, none is touched.`,
    })
  }
}

async function missing(storage: BackupStorage, options: OperationOptions): Promise<HoldfastError> {
  if ((await storage.head(mirrorKey, options)) !== undefined) {
    return new HoldfastError(
      'INTEGRITY',
      `The place ${storage.url} is a mirror that was never finished: its ${markerKey} is missing.`,
      {
        object: markerKey,
        hint: 'Finish it with "holdfast mirror". If the repository is lost: "holdfast mirror --promote" with --force makes one of what is there.',
      },
    )
  }
  if (await holdsAny(storage, databasesPrefix, options)) {
    return new HoldfastError('INTEGRITY', `The place ${storage.url} holds backups, but its ${markerKey} is missing.`, {
      object: markerKey,
      hint: `Bring ${markerKey} back from a copy, or run "holdfast init" there: backups are found again, none is touched.`,
    })
  }
  const begun = await holdsAny(storage, recoveryKey, options)
  const half = begun ? ' (an earlier "holdfast init" was interrupted)' : ''
  return new HoldfastError('REPOSITORY_NOT_FOUND', `There is no repository at ${storage.url}${half}.`, {
    object: storage.url,
    hint: 'Make one with "holdfast init", or name the place where it is (--repository).',
  })
}

async function holdsAny(storage: BackupStorage, prefix: string, options: OperationOptions): Promise<boolean> {
  for await (const _ of storage.list(prefix, options)) return true
  return false
}
