import type { BackupManifest, BackupType } from '../repository/manifest.ts'
import type { Codec } from '../segment/segment.ts'
import type { ValidationLevel } from '../source/source.ts'
import type { OnProgress } from '../util/progress.ts'

export interface CreateBackupOptions {
  readonly type: BackupType
  /**
   * Of an incremental or snapshot: the id (or an unambiguous beginning of it) or the name of the backup that it builds on.
   * Default: the newest backup. A snapshot in a history with no backup stores everything; an incremental is refused.
   */
  readonly parent?: string | undefined
  /** Required for a snapshot, possible for the others; unique among the database's backups. */
  readonly name?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Checks of the database before it is trusted; default `quick`. */
  readonly validation?: ValidationLevel | undefined
  /** Count the rows of every table, to be compared on restore; default true. */
  readonly rowCounts?: boolean | undefined
  /** Keep the backup of a database that fails its checks, marked as damaged; default false. */
  readonly allowDamaged?: boolean | undefined
  /** Default `zstd`. */
  readonly codec?: Codec | undefined
  /** Compression level; default: the codec's as measured (docs/benchmarks.md). */
  readonly level?: number | undefined
  /** Wait for another process's lock on the database, in milliseconds; default 5000. */
  readonly busyTimeoutMs?: number | undefined
  /** Wait for another backup of the same database to end, in milliseconds; default 0: refuse at once. */
  readonly leaseWaitMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Phases: `prepare`, `copy` (bytes of the database), `validate`, `verify` (stored bytes read back), `commit`. */
  readonly onProgress?: OnProgress | undefined
}

export interface BackupResult {
  readonly metadata: BackupManifest
  /** Things the user should know that did not stop the backup, in full sentences. */
  readonly warnings: readonly string[]
  readonly durationMs: number
  /** How long writers of a rollback-journal database had to wait, in milliseconds; 0 in WAL mode. */
  readonly writersBlockedMs: number
}
