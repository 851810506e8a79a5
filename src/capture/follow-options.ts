import type { NameChoice } from '../backup/identity.ts'
import { rollUpLogs } from '../maintenance/roll-up/roll-up-logs.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Codec } from '../segment/segment.ts'
import type { FollowingSource } from '../source/follower.ts'
import type { BackupSource } from '../source/source.ts'
import type { OnCaptureEvent } from './capture-events.ts'
import { type Clock, systemClock } from './clock.ts'
import type { CaptureControl } from './control/capture-control.ts'
import { type LocalFiles, localFiles } from './spool/local-files.ts'

/** A database that can be followed. */
export type FollowedSource = BackupSource &
  FollowingSource & {
    /** Switches the database to a write-ahead log, for good. Only ever called when the user asked for it. */
    enableWal?(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
  }

export interface FollowOptions extends NameChoice {
  /** Folder of the spool and the position; default: `holdfast/<repository>/<database>` in the user's state folder. */
  readonly stateFolder?: string | undefined
  /** How long commits are gathered into one segment, in milliseconds; default 1000. */
  readonly syncIntervalMs?: number | undefined
  /** A segment is closed earlier when its commits have this many bytes of pages; default 64 MiB. */
  readonly maxBatchBytes?: number | undefined
  /** When the log is handed back to the database, so that it does not grow without end; default 4 MiB or 60 s. */
  readonly handOff?: { readonly logBytes?: number | undefined; readonly ageMs?: number | undefined } | undefined
  /** How often the whole database is compared with what was taken from its log, if it changed; default 24 h. 0: never. */
  readonly auditIntervalMs?: number | undefined
  /** Bytes that may wait for the repository; default 1 GiB. */
  readonly spoolLimitBytes?: number | undefined
  readonly codec?: Codec | undefined
  readonly level?: number | undefined
  /** How long to wait for another process that works on the database in the repository, in milliseconds; default 0. */
  readonly leaseWaitMs?: number | undefined
  readonly busyTimeoutMs?: number | undefined
  /** How long {@link Capture.stop} waits for uploads unless told otherwise, in milliseconds; default 10 s. */
  readonly stopWaitMs?: number | undefined
  /** Switches a database without a write-ahead log to one. Default false: it is followed by deltas. */
  readonly enableWal?: boolean | undefined
  /** How often a database without a write-ahead log is looked at, in milliseconds; default 60 s. */
  readonly deltaIntervalMs?: number | undefined
  /** Called now and then, under the lease, to merge small segments; default: `rollUpLogs`. */
  readonly rollUp?:
    | ((database: DatabaseRepository, options: { readonly signal?: AbortSignal | undefined }) => Promise<unknown>)
    | undefined
  /** Segments uploaded between two calls of `rollUp`; default 60. */
  readonly rollUpEvery?: number | undefined
  /** Where this process takes requests of others that need the lease. */
  readonly control?: CaptureControl | undefined
  /** Fires: start is given up, or a running capture stops without waiting for uploads. */
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: OnCaptureEvent | undefined
  readonly clock?: Clock | undefined
  readonly files?: LocalFiles | undefined
}

const mebibyte = 1024 * 1024

/** With defaults in place. */
export interface FollowSettings {
  readonly syncIntervalMs: number
  readonly maxBatchBytes: number
  readonly handOffBytes: number
  readonly handOffAgeMs: number
  readonly auditIntervalMs: number
  readonly spoolLimitBytes: number
  readonly codec: Codec
  readonly level: number | undefined
  readonly busyTimeoutMs: number | undefined
  readonly stopWaitMs: number
  readonly deltaIntervalMs: number
  readonly rollUp: FollowOptions['rollUp']
  readonly rollUpEvery: number
  readonly onEvent: OnCaptureEvent
  readonly clock: Clock
  readonly files: LocalFiles
}

export function settingsOf(options: FollowOptions): FollowSettings {
  return {
    syncIntervalMs: options.syncIntervalMs ?? 1000,
    maxBatchBytes: options.maxBatchBytes ?? 64 * mebibyte,
    handOffBytes: options.handOff?.logBytes ?? 4 * mebibyte,
    handOffAgeMs: options.handOff?.ageMs ?? 60_000,
    auditIntervalMs: options.auditIntervalMs ?? 24 * 3_600_000,
    spoolLimitBytes: options.spoolLimitBytes ?? 1024 * mebibyte,
    codec: options.codec ?? 'zstd',
    level: options.level,
    busyTimeoutMs: options.busyTimeoutMs,
    stopWaitMs: options.stopWaitMs ?? 10_000,
    deltaIntervalMs: options.deltaIntervalMs ?? 60_000,
    rollUp: options.rollUp ?? rollUpLogs,
    rollUpEvery: options.rollUpEvery ?? 60,
    onEvent: options.onEvent ?? (() => {}),
    clock: options.clock ?? systemClock,
    files: options.files ?? localFiles,
  }
}
