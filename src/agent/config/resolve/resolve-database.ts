import { resolve } from 'node:path'
import { settingsOf } from '../../../capture/follow-options.ts'
import { defaultMaxBackups, defaultRetention } from '../../../history/retention.ts'
import { compressionLevel } from '../../../segment/codec.ts'
import { defaultLagLimitMs } from '../../notify/conditions/following.ts'
import type {
  DatabaseConfig,
  DrillConfig,
  FollowConfig,
  HookConfig,
  RetentionConfig,
  SourceConfig,
  VerifyConfig,
} from '../config.ts'
import { commandOf } from '../schema/command-schema.ts'
import type { DatabaseInput, SettingsInput } from '../schema/database-schema.ts'
import { mergeSettings } from './merge-settings.ts'
import { resolveHooks } from './resolve-hook.ts'
import { schedulesOf } from './schedules.ts'

export interface Around {
  /** Relative paths are in it. */
  readonly folder: string
  readonly defaults: SettingsInput
  /** Run around every operation, besides a database's own. */
  readonly hooks: readonly HookConfig[]
  readonly timeZone: string | undefined
  /** `databases[1]` */
  readonly place: string
}

export function resolveDatabase(
  database: DatabaseInput,
  { folder, defaults, hooks, timeZone, place }: Around,
): DatabaseConfig {
  const settings = mergeSettings(defaults, database)
  const { compression = {}, validation, tags, overdueAfter, lagLimit } = settings
  const codec = compression.codec ?? 'zstd'
  return {
    source: sourceOf(database, folder),
    follow: followOf(settings.follow),
    schedules: schedulesOf(settings, timeZone),
    retention: retentionOf(settings.retention, timeZone),
    compression: { codec, level: compressionLevel(codec, compression.level) },
    validation: validation ?? 'quick',
    tags: tags ?? {},
    verify: verifyOf(settings.verify, folder),
    drill: drillOf(settings.drill, folder),
    hooks: [...hooks, ...resolveHooks(settings.hooks, `${database.hooks === undefined ? 'defaults' : place}.hooks`)],
    overdueAfterMs: overdueAfter,
    lagLimitMs: lagLimit ?? defaultLagLimitMs,
  }
}

function sourceOf({ path, glob, exclude, name }: DatabaseInput, folder: string): SourceConfig {
  if (path !== undefined) return { kind: 'path', path: resolve(folder, path), name }
  return { kind: 'glob', patterns: absolute(glob, folder), exclude: absolute(exclude, folder) }
}

function absolute(patterns: string | readonly string[] = [], folder: string): string[] {
  const literally = folder.replace(/[*?[\]()+@]/g, '[$&]')
  return [patterns].flat().map((pattern) => resolve(literally, pattern))
}

function followOf(said: SettingsInput['follow'] = true): FollowConfig | undefined {
  if (said === false) return undefined
  const { syncInterval, maxBatch, enableWal, deltaInterval, handOff, auditInterval, spoolLimit } =
    said === true ? {} : said
  const settings = settingsOf({
    syncIntervalMs: syncInterval,
    maxBatchBytes: maxBatch,
    deltaIntervalMs: deltaInterval,
    handOff: { logBytes: handOff?.size, ageMs: handOff?.age },
    auditIntervalMs: auditInterval,
    spoolLimitBytes: spoolLimit,
  })
  const { syncIntervalMs, maxBatchBytes, deltaIntervalMs, handOffBytes, handOffAgeMs, auditIntervalMs } = settings
  return {
    syncIntervalMs,
    maxBatchBytes,
    deltaIntervalMs,
    enableWal: enableWal ?? false,
    handOff: { logBytes: handOffBytes, ageMs: handOffAgeMs },
    auditIntervalMs,
    spoolLimitBytes: settings.spoolLimitBytes,
  }
}

const usualGraceMs = 24 * 3_600_000

function retentionOf(
  said: SettingsInput['retention'] = false,
  timeZone: string | undefined,
): RetentionConfig | undefined {
  if (said === false) return undefined
  const { grace, ...policy } = said === true ? { ...defaultRetention, grace: undefined } : said
  return {
    maxBackups: defaultMaxBackups,
    timeZone: timeZone ?? 'UTC',
    ...policy,
    graceMs: grace ?? usualGraceMs,
  }
}

function verifyOf(said: SettingsInput['verify'], folder: string): VerifyConfig {
  const { level = 'data', subset = 1, maxDuration, scratchFolder } = typeof said === 'object' ? said : {}
  return { level, subset, maxDurationMs: maxDuration, scratchFolder: absoluteOrNone(scratchFolder, folder) }
}

const usualCommandTimeoutMs = 5 * 60_000

function drillOf(said: SettingsInput['drill'], folder: string): DrillConfig {
  const drill = typeof said === 'object' ? said : {}
  const {
    state,
    assertions,
    expectTables = {},
    command,
    commandTimeout,
    maxRecoveryTime,
    maxAge,
    scratchFolder,
  } = drill
  return {
    state: state ?? 'latest',
    assertions: (assertions ?? []).map((assertion) => (typeof assertion === 'string' ? { sql: assertion } : assertion)),
    expectTables: Array.isArray(expectTables)
      ? Object.fromEntries(expectTables.map((table) => [table, 0]))
      : expectTables,
    command: command === undefined ? undefined : commandOf(command),
    commandTimeoutMs: commandTimeout ?? usualCommandTimeoutMs,
    maxRecoveryTimeMs: maxRecoveryTime,
    maxAgeMs: maxAge,
    scratchFolder: absoluteOrNone(scratchFolder, folder),
  }
}

function absoluteOrNone(path: string | undefined, folder: string): string | undefined {
  return path === undefined ? undefined : resolve(folder, path)
}
