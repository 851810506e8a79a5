import type { RetentionPolicy } from '../history/retention.ts'
import type { BackupSource } from '../source/source.ts'
import type { BackupStorage } from '../storage/storage.ts'
import type { ProgressReport } from '../util/rate-meter.ts'
import type { BackupResult, CreateBackupOptions } from './backup-options.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

/** What can be backed up: a SQLite file, by {@link sqlite}, which an engine process reads; or a source of your own, which this process reads. */
export type DatabaseToBackUp = SqliteDatabase | BackupSource

/** A database under a name of its own in the repository. */
export interface NamedDatabase {
  readonly source: DatabaseToBackUp
  /** Name in the repository. */
  readonly database: string
}

/** Where it is written down what was done: the history and the audit log. */
export interface RecordingOptions {
  /**
   * Path of the journal, a file of its own; `false`: nothing is recorded. Default: the user's, in the state folder, which `holdfast history`
   * and `holdfast audit` show; and none for repositories in memory. A journal that cannot be written is a warning of the process, and keeps
   * nothing from being done.
   */
  readonly journal?: string | false | undefined
}

interface SharedOptions extends RecordingOptions {
  /**
   * Where backups are kept: a path or URL (`./backups`, `file:///srv/backups`), or a storage of your own. A storage that you
   * made stays yours to close.
   */
  readonly repository: string | BackupStorage
  /** Make the repository if there is none, unless one is known to have been at that place; default false. */
  readonly init?: boolean | undefined
  /** Backups that run at once, each in a process of its own; further ones wait. Default 4. */
  readonly maxConcurrentBackups?: number | undefined
  /** Used by every backup that does not say otherwise. */
  readonly defaults?: BackupDefaults | undefined
  /**
   * What `cleanupOldBackups` keeps, unless it is told otherwise. Default: 7 daily, 4 weekly, 12 monthly and 7 yearly backups, at most
   * 100, and every commit of the last 7 days.
   */
  readonly retention?: RetentionPolicy | undefined
  readonly engine?: EngineSettings | undefined
  readonly signal?: AbortSignal | undefined
}

export type BackupManagerOptions =
  | (SharedOptions & {
      readonly source: DatabaseToBackUp
      /** Name in the repository; default: the file's, without an ending such as `.db`. */
      readonly database?: string | undefined
      readonly sources?: undefined
    })
  | (SharedOptions & {
      readonly sources: readonly (DatabaseToBackUp | NamedDatabase)[]
      readonly source?: undefined
      readonly database?: undefined
    })

export type BackupDefaults = Pick<
  CreateBackupOptions,
  'tags' | 'validation' | 'rowCounts' | 'allowDamaged' | 'codec' | 'level' | 'busyTimeoutMs' | 'leaseWaitMs'
>

/** How engine processes are run. */
export interface EngineSettings {
  /** The Node.js (24 or newer) that runs them; default: the one that runs this process. To be set where that is another program. */
  readonly execPath?: string | undefined
  /** How long a cancelled operation may clean up before its process is killed, in milliseconds; default 10,000. */
  readonly graceMs?: number | undefined
}

/** Called often, with the name of the database that it is about. What it throws ends the backup. */
export type OnBackupProgress = (progress: ProgressReport, database: string) => void

export interface BackupOptions extends BackupDefaults {
  /** Which of the manager's databases; needed only if it has several. */
  readonly database?: string | undefined
  /** Unique among the database's backups. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Phases: `prepare`, `copy` (bytes of the database), `verify` (stored bytes read back), `validate`, `commit`. */
  readonly onProgress?: OnBackupProgress | undefined
}

export interface IncrementalBackupOptions extends BackupOptions {
  /** The id (or its unambiguous beginning) or the name of the backup to build on; default: the newest. */
  readonly parent?: string | undefined
}

export interface SnapshotBackupOptions extends IncrementalBackupOptions {
  readonly name: string
}

export interface BackupAllOptions extends Omit<IncrementalBackupOptions, 'database'> {
  readonly type: CreateBackupOptions['type']
  /** Which of the manager's databases; default: all. */
  readonly databases?: readonly string[] | undefined
}

/** What became of one database's backup, when several were asked for. */
export type BackupOutcome =
  | { readonly database: string; readonly status: 'fulfilled'; readonly value: BackupResult }
  /** The reason is a BackupError. */
  | { readonly database: string; readonly status: 'rejected'; readonly reason: unknown }
