import { z } from 'zod'
import { parseScheduleSpec } from '../agent/schedule/parse-schedule.ts'
import { scheduleInput, type TriggerInput, triggerInput } from '../agent/schedule/schedule-input.ts'
import { type Calendar, calendars, type ScheduleSpec } from '../agent/schedule/schedule-spec.ts'
import type { BackupResult } from '../backup/backup-options.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { HoldfastError } from '../errors.ts'
import { type BackupType, backupTypes } from '../repository/manifest.ts'

/** `every` with `at` and `timeZone`, `cron` with `timeZone`, or a distance such as `{ every: '6h' }`. */
export type BackupTimes = Pick<TriggerInput, 'every' | 'at' | 'cron' | 'timeZone'>

/** `daily` and the like (at midnight UTC), a cron expression (UTC), or times said in full. */
export type BackupSchedule = Calendar | (string & {}) | BackupTimes

export interface ScheduleBackupsOptions {
  /** Name of the schedule, unique within the manager; default: made from what it does, and when. */
  readonly id?: string | undefined
  /** Default `incremental`; the first backup of a database is full. A snapshot is named after its schedule and its moment, and pinned. */
  readonly type?: BackupType | undefined
  /** Which of the manager's databases; default: all. */
  readonly databases?: readonly string[] | undefined
  /** Noted on each backup. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** A backup begins at a random moment up to so long after it is due, such as `5m`; default: at once. */
  readonly jitter?: string | undefined
  /** Whether one that was due since the newest backup, while nothing ran, is made now; default true. */
  readonly catchUp?: boolean | undefined
  /** Whether the process goes on only because of this schedule; default false. */
  readonly keepAlive?: boolean | undefined
  /** Called after each backup. What it throws is an uncaught exception. */
  readonly onBackup?: ((result: BackupResult, database: string) => void) | undefined
  /** Called after each that failed; default: a warning of the process. What it throws is an uncaught exception. */
  readonly onError?: ((error: HoldfastError, database: string) => void) | undefined
}

/** A schedule of a manager. */
export interface ScheduledBackups {
  readonly id: string
  /** In words: `incremental backup every day at 02:30 UTC`. */
  readonly description: string
  readonly databases: readonly string[]
  /** When the next backup is due, in milliseconds since 1970. */
  readonly nextAt: number | undefined
  /** Whether one is made now, or waits for another. */
  readonly running: boolean
}

/** Parsed and checked. @throws USAGE */
export function backupSchedule(
  when: BackupSchedule,
  { id, type = 'incremental', tags, jitter }: ScheduleBackupsOptions,
): ScheduleSpec {
  const times: TriggerInput = typeof when === 'string' ? timesOf(when) : parseOptions(triggerInput, when)
  const input = parseOptions(scheduleInput.extend({ type: z.enum(backupTypes) }), { id, type, tags, jitter, ...times })
  const spec = parseScheduleSpec(input)
  if (['commits', 'bytes', 'quiet'].includes(spec.trigger.on)) {
    throw new HoldfastError('USAGE', 'A manager makes backups by the clock only, not by what was committed.', {
      hint: 'Give "every" or "cron"; or follow the database, which makes every commit a restore point.',
    })
  }
  return spec
}

/** `daily`, `6h`, or else a cron expression. */
function timesOf(text: string): TriggerInput {
  const isPlain = calendars.some((name) => name === text) || /^[\d.]+\s*[a-z]+$/i.test(text)
  return isPlain ? { every: text } : { cron: text }
}
