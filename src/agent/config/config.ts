/** What `holdfast.yaml` says, with defaults in place: durations in milliseconds, sizes in bytes, paths absolute. */
import type { RetentionPolicy } from '../../history/retention.ts'
import type { Codec } from '../../segment/segment.ts'
import type { ValidationLevel } from '../../source/source.ts'
import type { Assertion } from '../../verify/drill/assertion.ts'
import type { VerifyLevel } from '../../verify/verify-options.ts'
import type { Hook, HookMoment } from '../hooks/hook.ts'
import type { OperationKind } from '../journal/operation.ts'
import type { AlertTopic, Severity } from '../notify/alert.ts'
import type { CommandSettings } from '../notify/channels/command.ts'
import type { EmailSettings } from '../notify/channels/email.ts'
import type { WebhookSettings } from '../notify/channels/webhook.ts'
import type { RateLimit } from '../notify/delivery/rate-limit.ts'
import type { HeartbeatSettings } from '../notify/heartbeat.ts'
import type { ScheduleSpec } from '../schedule/schedule-spec.ts'

export interface Config {
  /** The file that says so. */
  readonly file: string
  /** Absolute path, or URL, with its credentials. */
  readonly repository: string
  /** Undefined: a folder of the user's, as for `holdfast follow`. */
  readonly stateFolder: string | undefined
  readonly databases: readonly DatabaseConfig[]
  /** Where copies of the repository are kept. */
  readonly mirrors: readonly MirrorConfig[]
  readonly concurrency: ConcurrencyConfig
  readonly notify: readonly NotifyConfig[]
  /** What lasts is told again after so long. */
  readonly repeatAlertsMs: number
  /** Undefined: nothing listens. */
  readonly server: ServerConfig | undefined
  readonly log: LogConfig
  /** How long a stop waits for what runs and for uploads. */
  readonly stopTimeoutMs: number
}

export interface MirrorConfig {
  /** Absolute path, or URL, with its credentials. */
  readonly to: string
  /** URL without credentials: what people call it by. */
  readonly name: string
  /** When all of the repository is brought there. */
  readonly schedule: ScheduleSpec
  /** What was deleted in the repository stays on the mirror for so long. */
  readonly graceMs: number
  /** Nothing is deleted of a database of which more backups than this would go; undefined: half of them, but at least 10. */
  readonly maxDelete: number | undefined
  readonly hooks: readonly HookConfig[]
}

/** One database, or all that a pattern finds. */
export interface DatabaseConfig {
  readonly source: SourceConfig
  readonly follow: FollowConfig | undefined
  /** All of them: also what `verify`, `drill`, `retention` and `compact` ask for. Their ids are unique. */
  readonly schedules: readonly ScheduleSpec[]
  /** What expiry keeps; undefined: everything, for ever. */
  readonly retention: RetentionConfig | undefined
  readonly compression: CompressionConfig
  /** How a database is checked before a backup of it is trusted. */
  readonly validation: ValidationLevel
  /** Labels of all backups, below those of their schedule. */
  readonly tags: Readonly<Record<string, string>>
  readonly verify: VerifyConfig
  readonly drill: DrillConfig
  readonly hooks: readonly HookConfig[]
  /** The newest kept state is overdue when it is older than this; undefined: told from the schedules. */
  readonly overdueAfterMs: number | undefined
  /** Commits that wait for the repository longer than this are told of. */
  readonly lagLimitMs: number
}

export type SourceConfig =
  | {
      readonly kind: 'path'
      readonly path: string
      /** In the repository; undefined: from the file's name. */
      readonly name: string | undefined
    }
  | {
      readonly kind: 'glob'
      /** Absolute patterns. */
      readonly patterns: readonly string[]
      readonly exclude: readonly string[]
    }

export interface FollowConfig {
  readonly syncIntervalMs: number
  readonly maxBatchBytes: number
  readonly deltaIntervalMs: number
  readonly enableWal: boolean
  readonly handOff: { readonly logBytes: number; readonly ageMs: number }
  /** 0: never. */
  readonly auditIntervalMs: number
  readonly spoolLimitBytes: number
}

export interface RetentionConfig extends RetentionPolicy {
  /** So long after its end was decided, a backup is removed. */
  readonly graceMs: number
}

export interface CompressionConfig {
  readonly codec: Codec
  readonly level: number
}

/** For every verification of the database; when there is one, `schedules` says. */
export interface VerifyConfig {
  readonly level: VerifyLevel
  /** Part of a whole, 0 < subset ≤ 1. */
  readonly subset: number
  readonly maxDurationMs: number | undefined
  /** For trial restores. Undefined: the system's temporary folder. */
  readonly scratchFolder: string | undefined
}

/** For every restore drill of the database; when there is one, `schedules` says. */
export interface DrillConfig {
  /** Which state is restored: the newest, or one by chance. */
  readonly state: 'latest' | 'random'
  readonly assertions: readonly Assertion[]
  /** Tables that must be there and hold at least so many rows. */
  readonly expectTables: Readonly<Record<string, number>>
  readonly command: string | readonly [string, ...string[]] | undefined
  /** Of the command, and of each assertion. */
  readonly commandTimeoutMs: number
  /** A recovery that takes longer fails the drill. */
  readonly maxRecoveryTimeMs: number | undefined
  /** A state older than this fails the drill. */
  readonly maxAgeMs: number | undefined
  /** Undefined: the system's temporary folder. */
  readonly scratchFolder: string | undefined
}

export interface HookConfig extends Hook {
  readonly moment: HookMoment
  readonly operations: readonly HookOperation[]
  readonly timeoutMs: number
  /** Of hooks after an operation: with which end they run. Before it, always `always`. */
  readonly when: 'always' | 'success' | 'failure'
  /** Before an operation: `fail` it, or do it all the same with a warning. After one, always `warn`. */
  readonly onFailure: 'fail' | 'warn'
}

export const hookOperations = ['backup', 'verify', 'drill', 'expire', 'compact', 'mirror'] as const
export type HookOperation = (typeof hookOperations)[number] & OperationKind

interface ChannelConfig {
  /** Unique. */
  readonly name: string
  readonly on: readonly AlertTopic[]
  /** What is less severe is not told here. */
  readonly severity: Severity
  /** Names in the repository; undefined: all of them, and what concerns none. */
  readonly databases: readonly string[] | undefined
  readonly rateLimit: RateLimit
}

/** `…File`: where a secret came from, when it came from a file. */
export type NotifyConfig =
  | (ChannelConfig & {
      readonly type: 'webhook'
      readonly settings: WebhookSettings & { readonly secretFile?: string }
    })
  | (ChannelConfig & {
      readonly type: 'email'
      readonly settings: EmailSettings & { readonly passwordFile?: string; readonly caFile?: string }
    })
  | (ChannelConfig & { readonly type: 'command'; readonly settings: CommandSettings })
  | { readonly type: 'heartbeat'; readonly name: string; readonly settings: HeartbeatSettings }

export interface ConcurrencyConfig {
  /** Operations (backups, verifications, drills …) at once. */
  readonly operations: number
  /** Processes over which databases are spread. */
  readonly workers: number
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly allowRemote: boolean
}

export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogConfig {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
}
