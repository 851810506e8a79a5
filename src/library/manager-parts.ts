import { BackupQueue } from '../backup/backup-queue.ts'
import { openOrInit } from '../backup/init-repository.ts'
import { byName, ManagedDatabase } from '../backup/managed-database.ts'
import type { BackupManagerOptions } from '../backup/manager-options.ts'
import { linkStorage, type StorageLink } from '../engine/storage-link.ts'
import { HoldfastError, hasCode } from '../errors.ts'
import { openKnown } from '../repository/known-places.ts'
import { removeProbeLeftovers } from '../storage/probe-leftovers.ts'
import { openRecorder, type Recorder } from './journal/recorder.ts'

/** What a manager is made of. */
export interface ManagerParts {
  readonly link: StorageLink
  readonly databases: ManagedDatabases
  readonly options: BackupManagerOptions
  /** What is done to one database is done one by one. */
  readonly queue: BackupQueue
  readonly maxConcurrent: number
  readonly recorder: Recorder
}

const defaultConcurrency = 4

/** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, USAGE, STORAGE_*, ABORTED */
export async function openParts(options: BackupManagerOptions): Promise<ManagerParts> {
  const { source, sources, database, engine, signal, init = false } = options
  const maxConcurrent = concurrencyOf(options)
  const named = byName(sources ?? [database === undefined ? source : { source, database }])
  await using stack = new AsyncDisposableStack()
  const link = stack.use(await linkStorage(options.repository))
  const recorder = stack.use(openRecorder(link, options, engine))
  try {
    const repository = init
      ? await openOrInit(link.storage, { signal }, (making) => recorder.recorded({ kind: 'init' }, making))
      : await openKnown(link.storage, { signal })
    await removeProbeLeftovers(link.storage, Date.now(), { signal })
    const databases = new Map<string, ManagedDatabase>()
    for (const [name, from] of named) databases.set(name, new ManagedDatabase(from, { repository, link, engine }))
    stack.move()
    const queue = new BackupQueue(maxConcurrent)
    return { link, options, databases: new ManagedDatabases(databases), queue, maxConcurrent, recorder }
  } catch (thrown) {
    // With `init`, it was there before.
    throw hasCode(thrown, 'REPOSITORY_NOT_FOUND') && !init ? notMadeYet(thrown) : thrown
  }
}

function concurrencyOf({ maxConcurrentBackups: most = defaultConcurrency }: BackupManagerOptions): number {
  if (Number.isSafeInteger(most) && most >= 1) return most
  throw new HoldfastError('USAGE', `maxConcurrentBackups is a whole number from 1 on, not ${most}.`)
}

/** A manager's databases, by their names in the repository. */
export class ManagedDatabases {
  readonly #byName: ReadonlyMap<string, ManagedDatabase>

  constructor(byName: ReadonlyMap<string, ManagedDatabase>) {
    this.#byName = byName
  }

  get all(): ManagedDatabase[] {
    return [...this.#byName.values()]
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }

  /** The one that is named; without a name, the only one. @throws USAGE */
  one(name: string | undefined): ManagedDatabase {
    if (name !== undefined) return this.find(name)
    const [only, another] = this.#byName.values()
    if (only !== undefined && another === undefined) return only
    throw new HoldfastError('USAGE', 'This manager has several databases: say which is meant.', {
      hint: `Give "database": one of ${this.names.join(', ')}.`,
    })
  }

  /** @throws USAGE for a name that the manager does not have */
  find(name: string): ManagedDatabase {
    const database = this.#byName.get(name)
    if (database !== undefined) return database
    throw new HoldfastError('USAGE', `This manager has no database "${name}".`, {
      object: name,
      hint: `It has ${this.names.join(', ')}.`,
    })
  }
}

function notMadeYet({ code, message, object, cause }: HoldfastError): HoldfastError {
  const hint = 'Let it be made, with "init: true", or give another "repository".'
  return new HoldfastError(code, message, { object, cause, hint })
}
