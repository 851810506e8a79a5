/**
 * What a retention policy asks for and what it decides: see the design's "Retention". A policy yields the LSNs to keep, with
 * reasons; maintenance turns those into merges and deletions.
 */
import type { Lsn } from './lsn.ts'
import type { SegmentInfo, SegmentKind } from './segment-info.ts'

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
  /** At most this many after all other rules, the oldest going first; pinned and named ones do not count. Default 100. */
  readonly maxBackups?: number | undefined
  /** Every commit younger than this stays reachable, in milliseconds. */
  readonly window?: number | undefined
  /** IANA name of the time zone in which hours, days, weeks, months and years begin; default `UTC`. */
  readonly timeZone?: string | undefined
}

/** What retention needs to know of a backup. */
export interface RetentionBackup {
  readonly id: string
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
  /** Pinned, or a snapshot with a name. */
  readonly pinned: boolean
  readonly verified: boolean
}

export type CalendarBucket = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

/** Why a backup is kept. */
export type KeepReason =
  | { readonly rule: 'last' | 'within' | 'window' | 'pinned' }
  /** `bucket` names the hour, day, week, month or year: `2025-W07`. */
  | { readonly rule: CalendarBucket; readonly bucket: string }
  /** The safety floor: never dropped, whatever the policy says. */
  | { readonly rule: 'newest' | 'newest-verified' | 'in-the-future' }

/** Why a backup is let go: no rule keeps it, or too many were kept. */
export type DropRule = 'no-rule' | 'max-backups'

export interface RetentionDecision<Backup extends RetentionBackup = RetentionBackup> {
  readonly keep: readonly { readonly backup: Backup; readonly reasons: readonly KeepReason[] }[]
  readonly drop: readonly { readonly backup: Backup; readonly rule: DropRule }[]
}

/** Neighbouring segments to replace by one of the same interval. */
export interface Merge {
  readonly kind: SegmentKind
  readonly from: Lsn
  readonly to: Lsn
  /** In order; each starts where the one before it ends. */
  readonly segments: readonly SegmentInfo[]
}

/** Every merge is published before anything is deleted. */
export interface MaintenancePlan {
  readonly merges: readonly Merge[]
  readonly deletions: readonly SegmentInfo[]
}
