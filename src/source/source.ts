/**
 * The contract of a database kind: read a consistent state of a live database, and build a database from pages. A source
 * knows nothing of storages, repositories or backups.
 */
import type { DatabaseFacts, ValidationReport } from './facts.ts'
import type { PageBatch } from './page-batch.ts'

export interface BackupSource {
  readonly kind: 'sqlite'
  /** Absolute path of the database, as the user knows it (symbolic links not resolved). */
  readonly location: string
  /** Name in the repository unless the user gives one: `app` for `/srv/data/app.db`. */
  readonly defaultName: string

  /**
   * Takes a consistent state of the live database, exactly one commit's, without blocking its writers where the engine allows.
   * @throws DATABASE_NOT_FOUND, NOT_A_DATABASE, DATABASE_ENCRYPTED, DATABASE_UNSUPPORTED, ACCESS_DENIED, DATABASE_BUSY, ABORTED
   */
  openSnapshot(options?: OpenSnapshotOptions): Promise<SourceSnapshot>
}

export interface OpenSnapshotOptions {
  /** How long to wait for a lock that another process holds, in milliseconds; default 5000. */
  readonly busyTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A frozen state. Disposing it lets the database go; nothing was written into it. */
export interface SourceSnapshot extends AsyncDisposable {
  /** Bytes a page. */
  readonly pageSize: number
  /** Pages of the state; 0 for an empty database. */
  readonly pageCount: number
  /** When the state was taken, in milliseconds since 1970. */
  readonly capturedAt: number
  /** True while writers must wait for this snapshot to end (rollback-journal databases). */
  readonly blocksWriters: boolean
  /**
   * Of the file: another one once it was replaced or written to, as far as the file system tells. Equal stamps alone do not mean that nothing
   * changed. Undefined where nothing is known of it.
   */
  readonly fileStamp?: string | undefined

  /**
   * Every page but the lock page, ascending, in batches with hashes. May be iterated more than once.
   * @throws DATABASE_CHANGED if the file is replaced, truncated or unreadable meanwhile
   */
  pages(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PageBatch>

  /** What the engine says of this very state. Runs beside {@link pages}, in another thread. */
  inspect(options: InspectOptions): Promise<Inspection>
}

export type ValidationLevel = 'none' | 'quick' | 'integrity'

export interface InspectOptions {
  /** `quick`: `PRAGMA quick_check`; `integrity`: `PRAGMA integrity_check`. Both also check foreign keys. */
  readonly validation: ValidationLevel
  /** Count the rows of every table. */
  readonly rowCounts: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Inspection {
  readonly facts: DatabaseFacts
  readonly validation: ValidationReport
  /** Tables with rows whose foreign key leads nowhere. */
  readonly tablesBreakingForeignKeys?: readonly string[] | undefined
}
