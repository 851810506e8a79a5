/**
 * What a retention policy asks for and what it decides: see the design's "Retention". A policy yields the LSNs to keep, with
 * reasons; maintenance turns those into merges and deletions.
 */
import type { Lsn } from './lsn.ts'
import type { SegmentInfo } from './segment-info.ts'

/** All rules add up: a backup is kept if any of them keeps it. What is left undefined keeps nothing. */
export interface RetentionPolicy {
  /** The newest N backups. */
  readonly last?: number | undefined
  /** The newest backup of each of the newest N hours, days, ISO weeks, months or years that have one. */
  readonly hourly?: number | undefined
  readonly daily?: number | undefined
  readonly weekly?: number | undefined
  readonly monthly?: number | undefined
  readonly yearly?: number | undefined
  /** Every backup younger than this, in milliseconds. */
  readonly within?: number | undefined
  /**
   * At most this many after all other rules, the oldest going first; before them those that only `window` keeps, whose states stay
   * reachable anyway. Pinned and named ones do not count. Default 100.
   */
  readonly maxBackups?: number | undefined
  /** Every commit younger than this stays reachable, in milliseconds. */
  readonly window?: number | undefined
  /** IANA name of the time zone in which hours, days, weeks, months and years begin; default `UTC`. */
  readonly timeZone?: string | undefined
}

export const defaultMaxBackups = 100

/** For who has not said what to keep: a week of days and of every commit, a month of weeks, a year of months, seven years. */
export const defaultRetention: RetentionPolicy = {
  daily: 7,
  weekly: 4,
  monthly: 12,
  yearly: 7,
  maxBackups: defaultMaxBackups,
  window: 7 * 86_400_000,
}

/** What retention needs to know of a backup. */
export interface RetentionBackup {
  readonly id: string
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
  /** Pinned, as a snapshot with a name is unless somebody unpinned it. */
  readonly pinned: boolean
  /** A verification found nothing wrong with it. */
  readonly verified: boolean
  /** What the checks of the database found when it was backed up. */
  readonly health: 'sound' | 'unchecked' | 'damaged'
}

export const calendarBuckets = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type CalendarBucket = (typeof calendarBuckets)[number]

/** Why a backup is kept. */
export type KeepReason =
  | { readonly rule: 'last' | 'within' | 'window' | 'pinned' }
  /** `bucket` names the hour, day, week, month or year: `2025-W07`. */
  | { readonly rule: CalendarBucket; readonly bucket: string }
  /** The safety floor: never dropped, whatever the policy says. */
  | { readonly rule: 'newest' | 'newest-sound' | 'newest-verified' | 'in-the-future' }

/** Why a backup is let go: no rule keeps it, or too many were kept. */
export type DropRule = 'no-rule' | 'max-backups'

export interface RetentionDecision<Backup extends RetentionBackup = RetentionBackup> {
  /** Oldest first. */
  readonly keep: readonly { readonly backup: Backup; readonly reasons: readonly KeepReason[] }[]
  /** Oldest first. */
  readonly drop: readonly { readonly backup: Backup; readonly rule: DropRule }[]
}

/** A part of a merge: a whole segment, or some of a log's commits. */
export interface MergeStep {
  readonly segment: SegmentInfo
  /** Exclusive: where the segment starts, or any commit of a log. */
  readonly from: Lsn
  /** Inclusive. */
  readonly upTo: Lsn
}

/** A base or delta to be made of neighbouring segments. */
export interface Merge {
  readonly kind: 'base' | 'delta'
  readonly from: Lsn
  readonly to: Lsn
  /** In order; each starts where the one before it ends. A segment whose key is a {@link virtualKey} is an earlier merge of the plan. */
  readonly steps: readonly MergeStep[]
}

/** Every merge is published before anything is deleted. */
export interface MaintenancePlan {
  /** In the order in which they can be made. */
  readonly merges: readonly Merge[]
  /** What nothing needs once the merges are there, in the order in which it can go. */
  readonly deletions: readonly SegmentInfo[]
  /** What cannot be reached, and is left alone: what leads there may come back, or not be listed yet. */
  readonly lost: readonly SegmentInfo[]
}
