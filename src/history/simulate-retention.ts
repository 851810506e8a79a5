import { Calendar } from './calendar.ts'
import { decideRetention } from './decide-retention.ts'
import { toLsn } from './lsn.ts'
import type { RetentionBackup, RetentionDecision, RetentionPolicy } from './retention.ts'

export interface SimulationOptions {
  /** The moment at which one looks at what remains, in milliseconds since 1970; the last backup is of then. */
  readonly now: number
  /** How long backups were made, in years of 365 days; default 2. */
  readonly years?: number | undefined
  /** How often one was made and the policy applied; default daily. */
  readonly every?: 'hourly' | 'daily' | 'weekly' | undefined
}

export interface Simulation {
  /** Backups that were made in all. */
  readonly made: number
  /** What is left, oldest first, with the reasons of the last decision. */
  readonly keep: RetentionDecision['keep']
}

const intervals = { hourly: 3_600_000, daily: 86_400_000, weekly: 7 * 86_400_000 } as const

/**
 * What remains of regular backups of a sound database if the policy is applied after each: what was dropped once is gone, as in life.
 * @throws RangeError for an unknown time zone
 */
export function simulateRetention(policy: RetentionPolicy, options: SimulationOptions): Simulation {
  const { now, years = 2, every = 'daily' } = options
  const calendar = new Calendar(policy.timeZone)
  const count = Math.max(1, Math.floor((years * 365 * intervals.daily) / intervals[every]))
  let keep: RetentionDecision['keep'] = []
  for (let at = 1; at <= count; at += 1) {
    const time = now - (count - at) * intervals[every]
    const backup: RetentionBackup = {
      id: String(at),
      lsn: toLsn(at),
      time,
      pinned: false,
      verified: false,
      health: 'sound',
    }
    const present = [...keep.map((kept) => kept.backup), backup]
    keep = decideRetention(present, policy, time, calendar).keep
  }
  return { made: count, keep }
}
