import type { RestoreError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { ValidationLevel } from '../source/source.ts'
import type { Proof } from '../source/target.ts'
import type { ProgressReport } from '../util/rate-meter.ts'

/** A moment: a Date, milliseconds since 1970, or ISO 8601 with its zone, as `2026-03-01T12:00:00Z`. */
export type Moment = Date | number | string

/** What to recover to. A moment alone means its time. */
export type RecoveryTarget =
  | Moment
  | { readonly time: Moment; readonly before?: boolean | undefined }
  | { readonly lsn: number; readonly before?: boolean | undefined }
  | { readonly snapshot: string; readonly before?: boolean | undefined }

export interface RecoveryOptions {
  /** Where the recovered database is put. */
  readonly targetPath: string
  /** Replace an existing file; default false. Never while it is in use. */
  readonly force?: boolean | undefined
  /** Reuse the existing file at the target and write only the pages that differ; default false. */
  readonly delta?: boolean | undefined
  /** Checks of the recovered file beside its state checksum; default `integrity`. */
  readonly validation?: ValidationLevel | undefined
  /** A shell command that gets the recovered file's path as `$1`; it must exit with 0 before the file is put in place. */
  readonly checkCommand?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** What it throws ends the recovery. Phases: `plan`, `fetch`, `replay`, `prove`, `commit`. */
  readonly onProgress?: ((progress: ProgressReport) => void) | undefined
  /** Take the last state before the time, LSN or snapshot rather than the state at it: what stood there before that commit. Default false. */
  readonly before?: boolean | undefined
}

export interface RecoveryResult {
  readonly database: string
  readonly targetPath: string
  /** The state that the file now holds, and when Holdfast saw it, in milliseconds since 1970. */
  readonly recoveredTo: {
    readonly lsn: Lsn
    readonly time: number
    /** The backup whose state this is, if one is. */
    readonly backup: BackupManifest | undefined
  }
  /** Commits applied one after the other from logs. */
  readonly commitsReplayed: number
  readonly pagesWritten: number
  readonly bytesFetched: number
  /** `delta` only when the existing file could be reused. */
  readonly mode: 'create' | 'replace' | 'delta'
  /** What shows that the file is right. */
  readonly proof: Proof
  readonly durationMs: number
  readonly warnings: readonly string[]
}

export type RecoveryPhase = 'planning' | 'fetching' | 'replaying' | 'proving' | 'committing'

interface Recovering {
  /** What was asked for. */
  readonly target: RecoveryTarget
  readonly targetPath: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The phases that have begun, in order. Fetching and replaying take turns where there are several logs. */
  readonly phases: readonly { readonly phase: RecoveryPhase; readonly durationMs: number }[]
}

/** Where a recovery stands. */
export type RecoveryStatus =
  | { readonly phase: 'idle' }
  | (Recovering & {
      readonly phase: RecoveryPhase
      /** Undefined until there is something to report. */
      readonly progress: ProgressReport | undefined
    })
  | (Recovering & { readonly phase: 'done'; readonly endedAt: number; readonly result: RecoveryResult })
  | (Recovering & {
      readonly phase: 'failed'
      readonly endedAt: number
      /** Where it failed. */
      readonly failedWhile: RecoveryPhase
      readonly error: RestoreError
    })
