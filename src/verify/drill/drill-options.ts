import type { ErrorCode } from '../../errors.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { BackupType } from '../../repository/manifest.ts'
import type { RestoreTargetState } from '../../restore/restore-options.ts'
import type { OnProgress } from '../../util/progress.ts'
import type { Assertion } from './assertion.ts'

/**
 * Which state is tried. `random`: a backup or a commit of any age, so that old ones are tried too; a seed, a whole number below
 * 2^32, makes the choice repeatable as long as the repository is the same.
 */
export type DrillState = RestoreTargetState | { readonly by: 'random'; readonly seed?: number | undefined }

export interface DrillOptions {
  /** Default: the newest state. */
  readonly state?: DrillState | undefined
  /** What must be true of the restored database. */
  readonly assertions?: readonly Assertion[] | undefined
  /**
   * A command for the shell, or a program with its arguments. It gets the restored file as `$1`, or as one more argument, and
   * HOLDFAST_RESTORED_FILE, HOLDFAST_DATABASE, HOLDFAST_LSN, HOLDFAST_TIME (ISO 8601) and HOLDFAST_BACKUP (an id, or empty). If it
   * ends with 0, that passes. The file is its own to change.
   */
  readonly command?: string | readonly [string, ...string[]] | undefined
  /** For each assertion, and for the command, in milliseconds; default five minutes. */
  readonly timeLimitMs?: number | undefined
  /** Objective: the recovery, proof included, may take so long, in milliseconds. */
  readonly maxRecoveryMs?: number | undefined
  /** Objective: the restored state may be so old when the drill begins, in milliseconds. */
  readonly maxAgeMs?: number | undefined
  /** Folder in which to restore; default: the system's temporary folder. It needs room for the database. */
  readonly scratchFolder?: string | undefined
  /** Leave the restored file where it is; `keptFile` of the report names it. Default false. */
  readonly keep?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Phases: those of a restore, then `assert` and `command` (objects). */
  readonly onProgress?: OnProgress | undefined
}

/** `failed`: what was tried is not as it must be. `inconclusive`: it could not be tried; that says nothing about the backup. */
export type DrillVerdict = 'passed' | 'failed' | 'inconclusive'

/** `skipped`: there was nothing to compare with. */
export type CheckOutcome = DrillVerdict | 'skipped'

export interface DrillCheck {
  /**
   * `restore`: the state can be fetched and is the very one. `integrity`, `foreign-keys`: SQLite's own checks. `contents`: schema,
   * settings and row counts as at backup. `recovery-time`, `age`: the objectives.
   */
  readonly kind:
    | 'restore'
    | 'integrity'
    | 'foreign-keys'
    | 'contents'
    | 'assertion'
    | 'command'
    | 'recovery-time'
    | 'age'
  /** Of an assertion: its name, or its query. */
  readonly name?: string | undefined
  readonly outcome: CheckOutcome
  /** What was found, in one sentence or less. */
  readonly detail: string
  readonly durationMs?: number | undefined
}

export interface DrillReport {
  /** Name in the repository. */
  readonly database: string
  readonly verdict: DrillVerdict
  /** Why it did not pass; empty if it did. */
  readonly reasons: readonly string[]
  /** In the order in which they were made. After a restore that failed there are no others. */
  readonly checks: readonly DrillCheck[]
  /** What was tried; undefined if it did not come so far. */
  readonly state:
    | {
        readonly lsn: Lsn
        /** When Holdfast saw it, in milliseconds since 1970; undefined if that is known only from what could not be read. */
        readonly time: number | undefined
        /** How old it was when the drill began, in milliseconds. */
        readonly ageMs: number | undefined
        readonly backup: { readonly id: string; readonly type: BackupType; readonly name: string | null } | undefined
      }
    | undefined
  /** Of a random state: repeats the choice. */
  readonly seed: number | undefined
  /** Undefined if it could not be recovered. */
  readonly recovery:
    | {
        /** All of it, proof included; in milliseconds. */
        readonly durationMs: number
        readonly phases: readonly { readonly phase: string; readonly durationMs: number }[]
        readonly bytesFetched: number
        readonly bytesWritten: number
        readonly commitsReplayed: number
      }
    | undefined
  /** Of what kept it from being recovered: stable code, and the object, such as a damaged segment. */
  readonly failure: { readonly code: ErrorCode; readonly object: string | undefined } | undefined
  readonly keptFile: string | undefined
  readonly warnings: readonly string[]
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly durationMs: number
}
