import { resolve } from 'node:path'
import { restoreEnding } from '../agent/journal/restore-ending.ts'
import type { RecordingOptions } from '../backup/manager-options.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { checkRunning } from '../engine/running-options.ts'
import { linkStorage, type StorageLink } from '../engine/storage-link.ts'
import { HoldfastError, RestoreError, toHoldfastError } from '../errors.ts'
import type { Estimate } from '../history/estimate.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { Repository } from '../repository/repository.ts'
import { pointRange, type RestoreRequest, restoreRequest, restoreTargetState } from '../restore/engine-api.ts'
import { planDatabaseRestore } from '../restore/plan-restore.ts'
import { restoreInEngine } from '../restore/restore-in-engine.ts'
import type { RestoreOptions, RestorePlan, RestoreResult, RestoreTargetState } from '../restore/restore-options.ts'
import { listRestorePoints, type PointRange, type RestorePoints } from '../restore/restore-points.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import type { Progress } from '../util/progress.ts'
import { type ProgressReport, RateMeter } from '../util/rate-meter.ts'
import { checkRestoreManager } from './check-open.ts'
import { openRecorder, type RecordedFacts, type Recorder } from './journal/recorder.ts'
import { stateParameters } from './state-parameters.ts'

export interface RestoreManagerOptions extends OperationOptions, RecordingOptions {
  /** Where the backups are kept: a path or URL, or a storage of your own, which stays yours to close. */
  readonly repository: string | BackupStorage
  /** Name of the database in the repository, or the path that it was backed up from. */
  readonly database: string
  readonly engine?:
    | {
        /** The Node.js (24 or newer) that runs engine processes; default: the one that runs this process. */
        readonly execPath?: string | undefined
        /** How long a cancelled restore may clean up before its process is killed, in milliseconds; default 10,000. */
        readonly graceMs?: number | undefined
      }
    | undefined
}

/** As `RestoreOptions`, with rate and time left in the progress. */
export interface ManagedRestoreOptions extends Omit<RestoreOptions, 'onProgress'> {
  /** Phases: `plan`, `fetch` (bytes of the database), `replay` (records of logs), `prove`, `commit`. What it throws ends the restore. */
  readonly onProgress?: ((progress: ProgressReport) => void) | undefined
}

/**
 * Gives a database back as it was. A restore is proved before it is put in place; one that fails leaves the target as it was.
 * It runs in an engine process, so this process opens neither the target nor what it replaces.
 *
 * @example
 * import { RestoreManager } from 'holdfast'
 *
 * await using restores = await RestoreManager.open({ repository: './backups', database: 'app' })
 * const { proof, plan } = await restores.restoreLatest({ targetPath: 'recovered.db' })
 */
export class RestoreManager implements AsyncDisposable {
  readonly #options: RestoreManagerOptions
  readonly #link: StorageLink
  readonly #database: DatabaseRepository
  readonly #recorder: Recorder
  readonly #running = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  private constructor(
    options: RestoreManagerOptions,
    link: StorageLink,
    database: DatabaseRepository,
    recorder: Recorder,
  ) {
    this.#options = options
    this.#link = link
    this.#database = database
    this.#recorder = recorder
  }

  /** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, NAME_NOT_FOUND, USAGE, STORAGE_*, ABORTED */
  static async open(options: RestoreManagerOptions): Promise<RestoreManager> {
    checkRestoreManager(options)
    const { signal } = options
    await using stack = new AsyncDisposableStack()
    const link = stack.use(await linkStorage(options.repository))
    const recorder = stack.use(openRecorder(link, options, options.engine))
    const repository = await Repository.open(link.storage, { signal })
    const database = await repository.findDatabase(options.database, { signal })
    stack.move()
    return new RestoreManager(options, link, database, recorder)
  }

  /** Name of the database in the repository. */
  get database(): string {
    return this.#database.name
  }

  /**
   * Restores a state into a file: an existing one is replaced only with `force` or `delta`, and never while it is in use.
   * @throws RestoreError; its code is among NOT_RESTORABLE, BACKUP_NOT_FOUND, TARGET_*, PROOF_FAILED, CHECK_COMMAND_FAILED,
   * INTEGRITY, DISK_FULL, ACCESS_DENIED, STORAGE_*, ENGINE_DIED, ABORTED
   * @example
   * await restores.restore({ state: { by: 'name', name: 'before-migration' }, targetPath: 'before.db' })
   * await restores.restore({ state: { by: 'time', time: Date.parse('2026-03-01T12:00:00Z') }, targetPath: 'app.db', force: true })
   */
  async restore(options: ManagedRestoreOptions): Promise<RestoreResult> {
    this.#assertOpen()
    const work = this.#restore(options)
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }

  /**
   * Restores the newest state.
   * @throws RestoreError as of {@link restore}
   * @example
   * const { targetPath, durationMs } = await restores.restoreLatest({ targetPath: 'recovered.db' })
   */
  restoreLatest(options: Omit<ManagedRestoreOptions, 'state'>): Promise<RestoreResult> {
    return this.restore({ ...options, state: { by: 'latest' } })
  }

  /**
   * What a restore would read and write, without doing it.
   * @throws NOT_RESTORABLE with the nearest states that can be restored, BACKUP_NOT_FOUND, INTEGRITY, STORAGE_*, ABORTED
   * @example
   * const { steps, backup } = await restores.plan({ by: 'latest' })
   */
  async plan(state: RestoreTargetState, options: OperationOptions = {}): Promise<RestorePlan> {
    this.#assertOpen()
    return await planDatabaseRestore(this.#database, parseOptions(restoreTargetState, state), options)
  }

  /**
   * What a restore would cost: bytes to fetch, space, and milliseconds.
   * @throws as {@link plan}
   * @example
   * const { durationMs, bytesToWrite } = await restores.estimate({ by: 'latest' })
   */
  async estimate(state: RestoreTargetState, options: OperationOptions = {}): Promise<Estimate> {
    return (await this.plan(state, options)).estimate
  }

  /**
   * The windows in which every commit can be restored, the gaps between them, and the states that have backups.
   * @param range times in milliseconds since 1970, both inclusive; default: everything
   * @throws USAGE, STORAGE_*, ABORTED
   * @example
   * const { points } = await restores.listRestorePoints({ from: Date.now() - 86_400_000 })
   */
  async listRestorePoints(range: PointRange = {}): Promise<RestorePoints> {
    this.#assertOpen()
    const { signal, ...times } = range
    return await listRestorePoints(this.#database, { ...parseOptions(pointRange, times), signal })
  }

  /**
   * The backups of the database, oldest first. One whose manifest cannot be read is not among them: `verifyBackups` names it.
   * @throws STORAGE_*, ABORTED
   */
  async listBackups(options: OperationOptions = {}): Promise<BackupManifest[]> {
    this.#assertOpen()
    return [...(await this.#database.catalog(options)).backups]
  }

  /** Waits for the restores that run, then lets the repository go. To stop them sooner, abort their signals. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    await this.#recorder[Symbol.asyncDispose]()
    await this.#link[Symbol.asyncDispose]()
  }

  async #restore({ signal, onProgress, ...rest }: ManagedRestoreOptions): Promise<RestoreResult> {
    const meter = new RateMeter()
    let phase = 'plan'
    const onEvent = (progress: Progress) => {
      phase = progress.phase
      onProgress?.(meter.measure(progress))
    }
    try {
      checkRunning({ signal, onProgress })
      const request = parseOptions(restoreRequest, { ...rest, targetPath: absolute(rest.targetPath) })
      const running = { ...this.#options.engine, signal, onEvent }
      const work = () => restoreInEngine(this.database, this.#link, request, running)
      return await this.#recorder.recorded(factsOf(this.database, request), work, restoreEnding)
    } catch (thrown) {
      const error = toHoldfastError(thrown, rest.targetPath)
      if (error instanceof RestoreError) throw error
      const { code, message, object, hint, cause } = error
      throw new RestoreError(code, message, phase, { object, hint, cause })
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError('USAGE', 'This RestoreManager is closed.')
  }
}

/** The check command stays out: it may hold a secret. A dry run is not recorded. */
function factsOf(
  database: string,
  { state, targetPath, force, delta, dryRun, validation = 'integrity', checkCommand }: RestoreRequest,
): RecordedFacts | undefined {
  if (dryRun === true) return undefined
  return {
    kind: 'restore',
    database,
    parameters: {
      ...stateParameters(state),
      to: targetPath,
      force: force === true,
      delta: delta === true,
      validate: validation,
      checked: checkCommand !== undefined,
    },
  }
}

/** Not a string, or an empty one, is the schema's to refuse. */
function absolute(path: string): string {
  return typeof path === 'string' && path !== '' ? resolve(path) : path
}
