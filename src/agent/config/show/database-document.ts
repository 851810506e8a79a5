import { defaultMaxBackups } from '../../../history/retention.ts'
import type { DatabaseConfig, DrillConfig, FollowConfig, HookConfig, RetentionConfig, SourceConfig } from '../config.ts'
import { scheduleDocument } from './schedule-document.ts'
import { durationText, sizeText } from './units.ts'

type Document = Readonly<Record<string, unknown>>

/** A database as it is written in a configuration, with all that was left unsaid. */
export function databaseDocument(database: DatabaseConfig): Document {
  const { source, follow, schedules, retention, compression, validation, tags, verify, drill, hooks } = database
  const has = (wanted: string) => schedules.some(({ action }) => action === wanted)
  const off = (action: string) => (has(action) ? {} : { [action]: false })
  return {
    ...sourceDocument(source),
    follow: follow === undefined ? false : followDocument(follow),
    schedules: schedules.map(scheduleDocument),
    retention: retention === undefined ? false : retentionDocument(retention),
    ...off('expire'),
    ...off('compact'),
    verify: has('verify')
      ? {
          level: verify.level,
          subset: verify.subset,
          maxDuration: optional(verify.maxDurationMs),
          scratchFolder: verify.scratchFolder,
        }
      : false,
    drill: has('drill') ? drillDocument(drill) : false,
    compression,
    validation,
    tags,
    hooks: hooks.map(hookDocument),
    overdueAfter: optional(database.overdueAfterMs),
    lagLimit: durationText(database.lagLimitMs),
  }
}

function optional(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : durationText(milliseconds)
}

function sourceDocument(source: SourceConfig): Document {
  if (source.kind === 'path') return { path: source.path, name: source.name }
  return { glob: source.patterns, exclude: source.exclude.length === 0 ? undefined : source.exclude }
}

function followDocument(follow: FollowConfig): Document {
  return {
    syncInterval: durationText(follow.syncIntervalMs),
    maxBatch: sizeText(follow.maxBatchBytes),
    enableWal: follow.enableWal,
    deltaInterval: durationText(follow.deltaIntervalMs),
    handOff: { size: sizeText(follow.handOff.logBytes), age: durationText(follow.handOff.ageMs) },
    auditInterval: follow.auditIntervalMs === 0 ? 'never' : durationText(follow.auditIntervalMs),
    spoolLimit: sizeText(follow.spoolLimitBytes),
  }
}

function retentionDocument({ graceMs, within, window, maxBackups, ...rules }: RetentionConfig): Document {
  return {
    ...rules,
    within: optional(within),
    window: optional(window),
    maxBackups: maxBackups ?? defaultMaxBackups,
    grace: durationText(graceMs),
  }
}

function drillDocument(drill: DrillConfig): Document {
  return {
    state: drill.state,
    assertions: drill.assertions.map(({ sql, name, expect }) =>
      name === undefined && expect === undefined ? sql : { sql, name, expect },
    ),
    expectTables: drill.expectTables,
    command: drill.command,
    commandTimeout: durationText(drill.commandTimeoutMs),
    maxRecoveryTime: optional(drill.maxRecoveryTimeMs),
    maxAge: optional(drill.maxAgeMs),
    scratchFolder: drill.scratchFolder,
  }
}

export function hookDocument({ moment, operations, command, timeoutMs, when, onFailure }: HookConfig): Document {
  const detail = moment === 'before' ? { onFailure } : { when }
  return { [moment]: operations, command, timeout: durationText(timeoutMs), ...detail }
}
