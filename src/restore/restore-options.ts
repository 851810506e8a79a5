import type { Estimate } from '../history/estimate.ts'
import type { Lsn } from '../history/lsn.ts'
import type { Pause } from '../history/pause.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { ValidationLevel } from '../source/source.ts'
import type { Proof } from '../source/target.ts'
import type { OnProgress } from '../util/progress.ts'

/** Which state is wanted. A time is in milliseconds since 1970. */
export type RestoreTargetState =
  | { readonly by: 'latest' }
  /** The backup's id, or an unambiguous beginning of it. */
  | { readonly by: 'backup'; readonly id: string }
  | { readonly by: 'name'; readonly name: string; readonly before?: boolean | undefined }
  | { readonly by: 'lsn'; readonly lsn: number; readonly before?: boolean | undefined }
  | { readonly by: 'time'; readonly time: number; readonly before?: boolean | undefined }

export interface RestoreOptions {
  readonly state: RestoreTargetState
  /** Where the restored database is put. */
  readonly targetPath: string
  /** Replace an existing file; default false. */
  readonly force?: boolean | undefined
  /** Reuse the existing file at the target and write only the pages that differ; default false. */
  readonly delta?: boolean | undefined
  /** Plan and estimate only; default false. */
  readonly dryRun?: boolean | undefined
  /** Checks of the restored file beside its state checksum, schema and row counts; default `integrity`. */
  readonly validation?: ValidationLevel | undefined
  /** A command for the shell that gets the restored file's path as `$1` and `HOLDFAST_RESTORED_FILE`; it must exit with 0. */
  readonly checkCommand?: string | undefined
  /** Blocks decompressed at once; default twice the number of cores, at most 16. */
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Phases: `plan`, `fetch` (bytes of the database), `replay` (records of logs), `prove`, `commit`. */
  readonly onProgress?: OnProgress | undefined
}

/** What a restore will do, without doing it. */
export interface RestorePlan {
  readonly database: string
  readonly lsn: Lsn
  /** When Holdfast saw that state, in milliseconds since 1970. */
  readonly time: number
  /** If it was committed while nobody looked: when that was, is known no better than this. */
  readonly pause: Pause | undefined
  /** The backup whose state this is, if one is. */
  readonly backup: BackupManifest | undefined
  /** Object keys and intervals, in the order in which they are applied. */
  readonly steps: readonly {
    readonly key: string
    readonly kind: string
    readonly from: Lsn
    readonly to: Lsn
    readonly bytes: number
  }[]
  readonly pageSize: number
  readonly pageCount: number
  /** Sixteen hexadecimal digits: the state checksum that the restored file must have. */
  readonly checksum: string
  readonly estimate: Estimate
}

export interface RestoreResult {
  readonly plan: RestorePlan
  readonly dryRun: boolean
  readonly targetPath: string
  /** `delta` only when the existing file could be reused. */
  readonly mode: 'create' | 'replace' | 'delta'
  /** Undefined for a dry run. */
  readonly proof: Proof | undefined
  readonly pagesWritten: number
  readonly bytesFetched: number
  readonly durationMs: number
  readonly warnings: readonly string[]
}
