/** What a schedule says: what to do, and when. Parsed from the configuration, the command line or the library; checked there. */
export type ScheduleAction = 'full' | 'incremental' | 'snapshot' | 'verify' | 'drill' | 'expire' | 'compact'

export const scheduleActions = ['full', 'incremental', 'snapshot', 'verify', 'drill', 'expire', 'compact'] as const

export type Calendar = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

/** One of the ways in which a run becomes due. */
export type ScheduleTrigger =
  | {
      readonly on: 'calendar'
      readonly every: Calendar
      /** Minutes after local midnight; default 0. Not for `hourly`, which takes the minute of the hour from it. */
      readonly at?: number | undefined
      /** IANA name; default `UTC`. */
      readonly timeZone?: string | undefined
    }
  /** At a fixed distance, in milliseconds, counted from the last run that was due. */
  | { readonly on: 'interval'; readonly everyMs: number }
  /** Five or six fields, or a nickname such as `@daily`. */
  | { readonly on: 'cron'; readonly expression: string; readonly timeZone?: string | undefined }
  /** So many commits, or bytes of changed pages, since the last run. */
  | { readonly on: 'commits'; readonly count: number }
  | { readonly on: 'bytes'; readonly count: number }
  /** Something was committed since the last run, and then nothing for so long, in milliseconds. */
  | { readonly on: 'quiet'; readonly forMs: number }

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
