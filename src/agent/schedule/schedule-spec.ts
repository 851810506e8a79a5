/** What a schedule says: what to do, and when. Parsed from the configuration, the command line or the library; checked there. */
export type ScheduleAction = 'full' | 'incremental' | 'snapshot' | 'verify' | 'drill' | 'expire' | 'compact' | 'mirror'

export const scheduleActions = [
  'full',
  'incremental',
  'snapshot',
  'verify',
  'drill',
  'expire',
  'compact',
  'mirror',
] as const

export function isBackup(action: ScheduleAction): boolean {
  return action === 'full' || action === 'incremental' || action === 'snapshot'
}

export type Calendar = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

export const calendars = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

export interface CalendarTrigger {
  readonly on: 'calendar'
  readonly every: Calendar
  /** Minutes after local midnight; of `hourly`, minutes after the full hour. Default 0. */
  readonly at?: number | undefined
  /**
   * Of `weekly`: 1 is Monday, 7, the default, Sunday. Of `monthly` and `yearly`: the day of the month, default 1; in a month
   * that has fewer days, its last.
   */
  readonly day?: number | undefined
  /** Of `yearly`: from 1 to 12, default 1. */
  readonly month?: number | undefined
  /** IANA name; default `UTC`. */
  readonly timeZone?: string | undefined
}

export interface CronTrigger {
  readonly on: 'cron'
  /** Five fields, six with seconds before them, or a nickname such as `@daily`. */
  readonly expression: string
  /** IANA name; default `UTC`. */
  readonly timeZone?: string | undefined
}

/** At a fixed distance, in milliseconds, counted from the last run that was due. */
export interface IntervalTrigger {
  readonly on: 'interval'
  readonly everyMs: number
}

/** By the clock alone. */
export type TimedTrigger = CalendarTrigger | CronTrigger | IntervalTrigger

/** By what was committed. */
export type ProgressTrigger =
  /** So many commits, or bytes of changed pages, since the last run. */
  | { readonly on: 'commits'; readonly count: number }
  | { readonly on: 'bytes'; readonly count: number }
  /** Something was committed since the last run, and then nothing for so long, in milliseconds. */
  | { readonly on: 'quiet'; readonly forMs: number }

/** One of the ways in which a run becomes due. */
export type ScheduleTrigger = TimedTrigger | ProgressTrigger

export interface ScheduleSpec {
  /** Stable across restarts and unique within a database; default made from action and trigger. */
  readonly id: string
  readonly action: ScheduleAction
  readonly trigger: ScheduleTrigger
  /** A run starts at a random moment up to so long after it became due, in milliseconds; default 0. */
  readonly jitterMs?: number | undefined
  /** Labels of the backups that it makes. */
  readonly tags?: Readonly<Record<string, string>> | undefined
}
