import { z } from 'zod'
import { drillEnding } from '../agent/journal/drill-ending.ts'
import type { RecordedOperation } from '../agent/journal/recorded-operation.ts'
import { verifyEnding } from '../agent/journal/verify-ending.ts'
import type { BackupResult } from '../backup/backup-options.ts'
import type { DeleteBackupOptions, DeletedBackup } from '../backup/delete-backup.ts'
import { backupRequest } from '../backup/engine-api.ts'
import type { ManagedDatabase } from '../backup/managed-database.ts'
import type {
  BackupAllOptions,
  BackupManagerOptions,
  BackupOptions,
  BackupOutcome,
  IncrementalBackupOptions,
  SnapshotBackupOptions,
} from '../backup/manager-options.ts'
import type { UpkeepAnywhereOptions } from '../capture/control/upkeep-through-follower.ts'
import type { LiveCapture } from '../capture/live-capture.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { placeOf } from '../engine/storage-link.ts'
import { HoldfastError } from '../errors.ts'
import type { CompactReport } from '../maintenance/compact/compact-database.ts'
import type { ExpireReport } from '../maintenance/expire/expire-database.ts'
import { retentionPolicy } from '../maintenance/expire/retention-policy.ts'
import type { PinnedBackup } from '../maintenance/pins/pin-backup.ts'
import { findBackup } from '../repository/catalog.ts'
import type { BackupManifest, BackupType } from '../repository/manifest.ts'
import { type BackupStats, getBackupStats } from '../repository/stats.ts'
import type { DrillReport } from '../verify/drill/drill-options.ts'
import { runDrill } from '../verify/drill/run-drill.ts'
import { type VerifyBackupsOptions, verifyBackups } from '../verify/verify-backups.ts'
import type { VerifyResult } from '../verify/verify-options.ts'
import type { BackupSchedule, ScheduleBackupsOptions, ScheduledBackups } from './backup-schedule.ts'
import { Captures } from './captures.ts'
import { drillFacts, verifyFacts } from './check-facts.ts'
import { checkBackupManager } from './check-open.ts'
import { type HistoryQuery, historyOf } from './history/history-of.ts'
import { makeBackup } from './make-backup.ts'
import type { CleanupOptions, DatabaseChoice, DrillDatabaseOptions, FollowDatabaseOptions } from './manager-choices.ts'
import { type ManagerParts, openParts } from './manager-parts.ts'
import { BackupSchedules } from './scheduled-backups.ts'
import { cleanUp, compact, deleteOne, setPin } from './upkeep.ts'

const databaseNames = z.array(z.string()).optional()

/**
 * Backs up live databases into a repository.
 *
 * Each backup of a SQLite database runs in an engine process of its own, so this process never opens the file, and the
 * locks that its own SQLite holds stay whole. Backups of one database follow one another; those of several run at once, up to
 * `maxConcurrentBackups`.
 *
 * @example
 * import { BackupManager, sqlite } from 'holdfast'
 *
 * await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
 * const { metadata, durationMs } = await backups.createFullBackup()
 * console.log(`${metadata.id}: ${metadata.storedBytes} bytes stored in ${durationMs} ms`)
 */
export class BackupManager implements AsyncDisposable {
  readonly #parts: ManagerParts
  readonly #schedules: BackupSchedules
  readonly #captures: Captures
  #closing: Promise<void> | undefined

  private constructor(parts: ManagerParts) {
    this.#parts = parts
    this.#captures = new Captures(parts)
    this.#schedules = new BackupSchedules({
      maxConcurrent: parts.maxConcurrent,
      backUp: (name, { type, ...request }, askedBy) =>
        makeBackup(parts, parts.databases.find(name), type, request, askedBy),
      backups: async (name) => (await parts.databases.find(name).repository.catalog()).backups,
    })
  }

  /**
   * Opens the repository, or makes it with `init: true`. No database is touched yet.
   * @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, USAGE, STORAGE_*, ABORTED
   */
  static async open(options: BackupManagerOptions): Promise<BackupManager> {
    checkBackupManager(options)
    parseOptions(backupRequest, { ...options.defaults, type: 'full' })
    retentionPolicy(options.retention)
    return new BackupManager(await openParts(options))
  }

  /** Names of the databases in the repository, as this manager backs them up. */
  get databases(): string[] {
    return this.#parts.databases.names
  }

  /**
   * Stores the whole database.
   * @throws BackupError with `partialBackup`; its code is among DATABASE_*, NOT_A_DATABASE, ACCESS_DENIED, LEASE_HELD,
   * NAME_TAKEN, DISK_FULL, STORAGE_*, ENGINE_DIED, ABORTED
   * @example
   * const { metadata, warnings } = await backups.createFullBackup({ tags: { release: '2.1' } })
   */
  createFullBackup(options: BackupOptions = {}): Promise<BackupResult> {
    return this.#createOne('full', options)
  }

  /**
   * Stores what changed since the parent. No earlier copy of the database is needed, here or elsewhere.
   * @throws BackupError as of {@link createFullBackup}; BACKUP_NOT_FOUND also when there is no backup yet to build on
   * @example
   * await backups.createIncrementalBackup()
   * await backups.createIncrementalBackup({ parent: 'before-migration' })
   */
  createIncrementalBackup(options: IncrementalBackupOptions = {}): Promise<BackupResult> {
    return this.#createOne('incremental', options)
  }

  /**
   * Stores the state of this moment under a name, as what changed since the parent, or whole if it is the first. It is pinned:
   * no retention drops it.
   * @throws BackupError as of {@link createFullBackup}
   * @example
   * await backups.createSnapshotBackup({ name: 'before-migration' })
   */
  createSnapshotBackup(options: SnapshotBackupOptions): Promise<BackupResult> {
    return this.#createOne('snapshot', options)
  }

  /**
   * Backs up several databases, or all. One that fails does not keep the others from being done: look at each outcome.
   * @throws USAGE for a name that this manager does not have
   * @example
   * for (const outcome of await backups.createBackup({ type: 'incremental' })) {
   *   if (outcome.status === 'rejected') console.error(outcome.database, outcome.reason)
   * }
   */
  async createBackup(options: BackupAllOptions): Promise<BackupOutcome[]> {
    this.#assertOpen()
    const { databases, type, ...rest } = options
    const names = parseOptions(databaseNames, databases) ?? this.databases
    const chosen = [...new Set(names)].map((name) => this.#parts.databases.find(name))
    const outcomes = await Promise.allSettled(chosen.map((database) => makeBackup(this.#parts, database, type, rest)))
    return outcomes.map((outcome, i) => ({ database: chosen[i]?.name ?? '', ...outcome }))
  }

  /**
   * Follows a database: from the state at which it begins, every commit becomes a restore point, within about a second. Nothing is
   * written into the database. Resolves once following has begun; a first call stores the whole database for that. After a stop or
   * a crash the next call goes on where the last one was, and if commits were missed meanwhile, records that as a gap.
   *
   * Backups of it go on working while it runs, here and from other processes of this machine: they need no segment of their own.
   * @throws LEASE_HELD if somebody follows or backs it up already; DATABASE_*, NOT_A_DATABASE, ACCESS_DENIED, NAME_TAKEN, USAGE,
   * DISK_FULL, STORAGE_*, ENGINE_DIED, ABORTED
   * @example
   * await using live = await backups.follow()
   * live.on('gap', ({ reason, fromTime, toTime }) => console.warn(reason, new Date(fromTime), new Date(toTime)))
   * live.on('error', (error) => console.error(error.code, error.message))
   * await live.sync() // everything committed so far is in the repository
   */
  async follow({ database: name, ...options }: FollowDatabaseOptions = {}): Promise<LiveCapture> {
    return await this.#captures.follow(this.#one({ database: name }), options)
  }

  /**
   * The backups, oldest first; of all databases of this manager unless one is named. One whose manifest cannot be read is not
   * among them: {@link verify} names it.
   * @throws STORAGE_*, ABORTED
   * @example
   * for (const { id, type, createdAt } of await backups.listBackups()) console.log(id, type, createdAt)
   */
  async listBackups(options: DatabaseChoice = {}): Promise<BackupManifest[]> {
    this.#assertOpen()
    const { databases } = this.#parts
    const chosen = options.database === undefined ? databases.all : [databases.find(options.database)]
    const catalogs = await Promise.all(chosen.map(({ repository }) => repository.catalog(options)))
    const all = catalogs.flatMap(({ backups }) => backups)
    return chosen.length === 1 ? all : all.sort((a, b) => (a.capturedAt < b.capturedAt ? -1 : 1))
  }

  /**
   * One backup by its id, an unambiguous beginning of it, or its name.
   * @throws BACKUP_NOT_FOUND, STORAGE_*, ABORTED
   * @example
   * const { tags, validation } = await backups.getBackup('before-migration')
   */
  async getBackup(idOrName: string, options: DatabaseChoice = {}): Promise<BackupManifest> {
    return findBackup(await this.#one(options).repository.catalog(options), idOrName)
  }

  /**
   * Counts, sizes in bytes, and what compression and incremental storage saved against plain copies.
   * @throws STORAGE_*, ABORTED
   * @example
   * const { backups: count, storedBytes, savingsRatio } = await backups.getBackupStats()
   */
  async getBackupStats(options: DatabaseChoice = {}): Promise<BackupStats> {
    return getBackupStats(await this.#one(options).repository.catalog(options))
  }

  /**
   * Deletes one backup and frees what only it needed. Where a process of this machine follows the database, it is done there.
   * @throws BACKUP_PINNED, also for a snapshot that was not unpinned; BACKUP_NEEDED if another backup builds on it, or, without `force`,
   * if it is the newest of a sound database; BACKUP_NOT_FOUND, INTEGRITY, LEASE_HELD, STORAGE_*, ABORTED
   * @example
   * const { freedBytes } = await backups.deleteBackup('k3v9x0q2m5ab')
   */
  async deleteBackup(idOrName: string, options: DeleteBackupOptions & DatabaseChoice = {}): Promise<DeletedBackup> {
    return await deleteOne(this.#parts, this.#one(options), idOrName, options)
  }

  /**
   * Applies a retention policy: lets go of the backups that it does not keep, each with a reason, and of single commits that are older
   * than its window. What nothing needs any more is deleted by a later call, a day later by default.
   *
   * While anything is unreadable or known to be damaged, nothing is deleted, and the error says what it is.
   * @throws USAGE for a senseless policy; INTEGRITY, FORMAT_TOO_NEW, LEASE_HELD, STORAGE_*, DISK_FULL, ABORTED
   * @example
   * const { keep, drop, freedBytes } = await backups.cleanupOldBackups({ dryRun: true })
   * await backups.cleanupOldBackups({ retention: { last: 3, daily: 7, weekly: 4, timeZone: 'Europe/Berlin' } })
   */
  async cleanupOldBackups(options: CleanupOptions = {}): Promise<ExpireReport> {
    return await cleanUp(this.#parts, this.#one(options), options)
  }

  /**
   * Makes a database cheaper to list and to restore, without losing a restore point: merges small logs and shortens long chains.
   * @throws INTEGRITY, FORMAT_TOO_NEW, LEASE_HELD, STORAGE_*, DISK_FULL, ABORTED
   * @example
   * const { merged, freedBytes } = await backups.compact()
   */
  async compact(options: UpkeepAnywhereOptions & DatabaseChoice = {}): Promise<CompactReport> {
    return await compact(this.#parts, this.#one(options), options)
  }

  /**
   * Keeps a backup, by its id, the beginning of it or its name, whatever a retention policy says.
   * @throws BACKUP_NOT_FOUND, INTEGRITY, STORAGE_*, ABORTED
   * @example
   * await backups.pinBackup('k3v9x0q2m5ab')
   */
  async pinBackup(idOrName: string, options: DatabaseChoice = {}): Promise<PinnedBackup> {
    return await setPin(this.#parts, 'pin', this.#one(options), idOrName, options)
  }

  /**
   * Lets retention count a backup like any other again; also a snapshot, which is pinned from the start.
   * @throws BACKUP_NOT_FOUND, INTEGRITY, STORAGE_*, ABORTED
   * @example
   * await backups.unpinBackup('before-migration')
   */
  async unpinBackup(idOrName: string, options: DatabaseChoice = {}): Promise<PinnedBackup> {
    return await setPin(this.#parts, 'unpin', this.#one(options), idOrName, options)
  }

  /**
   * Checks backups; of this manager's databases unless `databases` names others of the repository.
   * Damage is in the result, not an exception.
   * @throws NAME_NOT_FOUND, BACKUP_NOT_FOUND, USAGE, STORAGE_*, ENGINE_DIED, ABORTED
   * @example
   * const { ok, restorable } = await backups.verify({ level: 'restore', subset: 0.1 })
   */
  async verify(options: Omit<VerifyBackupsOptions, 'repository' | 'engine'> = {}): Promise<VerifyResult> {
    this.#assertOpen()
    const { link, options: own, recorder } = this.#parts
    const request = { databases: this.databases, ...options, repository: placeOf(link), engine: own.engine }
    return await recorder.recorded(verifyFacts(request), () => verifyBackups(request), verifyEnding)
  }

  /**
   * A restore drill: restores a state to a scratch place, proves it, tries assertions and a command on it, measures the recovery and
   * keeps the verdict in the repository. A drill that fails, or cannot be finished, is no exception.
   * @throws as `runDrill`
   * @example
   * const { verdict, reasons } = await backups.drill({ assertions: [{ sql: 'SELECT count(*) > 0 FROM users' }] })
   */
  async drill(options: DrillDatabaseOptions = {}): Promise<DrillReport> {
    const { name: database } = this.#one(options)
    const { link, options: own, recorder } = this.#parts
    const request = { ...options, database, repository: placeOf(link), engine: own.engine }
    return await recorder.recorded(drillFacts(request), () => runDrill(request), drillEnding)
  }

  /**
   * Makes backups at certain times, as long as this manager is open and the process runs: `hourly`, `daily`, `weekly`, `monthly`
   * or `yearly`, a cron expression, a distance such as `6h`, or times said in full. Times are those of UTC unless a `timeZone` is given.
   * What is due while a backup of the database is made is made after it, once.
   * @returns the id of the schedule
   * @throws USAGE for what is no schedule, and for an `id` that is taken; STORAGE_*
   * @example
   * const id = await backups.scheduleBackups('daily')
   * await backups.scheduleBackups('30 2 * * 1-5', { type: 'full', onError: (error) => alert(error.message) })
   * await backups.scheduleBackups({ every: 'weekly', at: 'sunday 02:30', timeZone: 'Europe/Berlin' }, { type: 'full' })
   */
  async scheduleBackups(when: BackupSchedule, options: ScheduleBackupsOptions = {}): Promise<string> {
    this.#assertOpen()
    const { names } = this.#parts.databases
    const chosen = (options.databases ?? names).map((name) => this.#parts.databases.find(name).name)
    return await this.#schedules.add(when, [...new Set(chosen)], options)
  }

  /**
   * Ends a schedule. Resolves when a backup of it that is being made is done.
   * @throws SCHEDULE_NOT_FOUND
   * @example
   * await backups.stopScheduledBackups(id)
   */
  async stopScheduledBackups(id: string): Promise<void> {
    this.#assertOpen()
    await this.#schedules.remove(id)
  }

  /**
   * The schedules that run, with what they do in words, and when next.
   * @example
   * for (const { id, description, nextAt } of backups.listScheduledBackups()) console.log(id, description, nextAt)
   */
  listScheduledBackups(): ScheduledBackups[] {
    this.#assertOpen()
    return this.#schedules.list()
  }

  /**
   * What was done to this repository on this machine by this user, by whichever program, and what the repository tells of others; oldest
   * first. As `holdfast history` shows it.
   * @throws USAGE if nothing is recorded; ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW, ENGINE_DIED, STORAGE_*, ABORTED
   * @example
   * const failures = await backups.history({ since: Date.now() - 86_400_000, outcome: 'failed' })
   * for (const { kind, database, startedAt, message } of failures) console.log(kind, database, new Date(startedAt), message)
   */
  async history(query: HistoryQuery = {}): Promise<RecordedOperation[]> {
    this.#assertOpen()
    const { recorder, link } = this.#parts
    return await historyOf(recorder.journal, link.storage, query)
  }

  /**
   * Ends the schedules, waits for the backups that were asked for, stops following, then lets the repository go. To stop sooner,
   * abort the signals.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#schedules.close()
    await this.#parts.queue.idle()
    await this.#captures.close()
    await this.#parts.recorder[Symbol.asyncDispose]()
    await this.#parts.link[Symbol.asyncDispose]()
  }

  async #createOne(type: BackupType, options: IncrementalBackupOptions): Promise<BackupResult> {
    const { database: _, ...rest } = options
    return await makeBackup(this.#parts, this.#one(options), type, rest)
  }

  #one({ database }: { readonly database?: string | undefined }): ManagedDatabase {
    this.#assertOpen()
    return this.#parts.databases.one(database)
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError('USAGE', 'This BackupManager is closed.')
  }
}
