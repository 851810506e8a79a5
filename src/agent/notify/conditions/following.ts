import { isExpectedGap } from '../../../capture/gap-reasons.ts'
import type { GapRecord } from '../../../history/windows.ts'
import { formatBytes } from '../../../util/format-bytes.ts'
import { formatDuration } from '../../../util/format-duration.ts'
import { formatTime } from '../../../util/format-time.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'
import { defaultAlertSettings } from '../engine/alert-settings.ts'

const minute = 60_000

export const defaultLagLimitMs = 5 * minute
/** A gap that no other follows within this time is over. */
const gapMemoryMs = 60 * minute
const spoolWarningPart = 0.8

/** @param lagMs how long the oldest commit that is not in the repository has waited; 0 if there is none */
export function observeLag(
  database: string,
  lagMs: number,
  limitMs: number = defaultLagLimitMs,
): readonly Observation[] {
  const key = conditionKey('lag', database)
  if (lagMs <= limitMs) return [{ what: 'absent', key }]
  const condition = {
    key,
    kind: 'lag',
    severity: 'warning',
    database,
    summary: `Commits of ${database} have waited for the repository for ${formatDuration(lagMs)}; the limit is ${formatDuration(limitMs)}.`,
    hint: 'See whether the repository can be reached and is fast enough. The commits are safe on this machine meanwhile.',
    details: { lagMs, limitMs },
  } as const
  // Whoever names a short limit does not want to wait for longer than that.
  const delay = limitMs < defaultAlertSettings.timing.lag.delayMs ? { delayMs: limitMs } : {}
  return [{ what: 'present', condition, ...delay }]
}

export function observeGap(database: string, gap: GapRecord): readonly Observation[] {
  if (isExpectedGap(gap.reason)) return []
  const { fromLsn, toLsn, fromTime, toTime, reason } = gap
  const condition = {
    key: conditionKey('gap', database),
    kind: 'gap',
    severity: 'warning',
    database,
    summary: `Commits of ${database} were missed between ${formatTime(fromTime)} and ${formatTime(toTime)}: ${reason}.`,
    hint: `The states before and after can be restored; "holdfast points ${database}" shows them.`,
    details: { fromLsn, toLsn, fromTime: iso(fromTime), toTime: iso(toTime), reason },
  } as const
  return [{ what: 'happened', condition, forMs: gapMemoryMs }]
}

/** It is followed, but cannot be read just now: it was deleted, or its disk is away. @param trouble undefined if it can */
export function observeTrouble(database: string, trouble: string | undefined): readonly Observation[] {
  const key = conditionKey('failure', 'follow', database, 'reading')
  if (trouble === undefined) return [{ what: 'absent', key }]
  const condition = {
    key,
    kind: 'failure',
    severity: 'critical',
    database,
    summary: `${database} cannot be followed at the moment: ${trouble}`,
    hint: 'Put that right: its follower tries again by itself.',
    details: { operation: 'follow' },
  } as const
  return [{ what: 'present', condition }]
}

/** @param bytes that wait on this machine for the repository */
export function observeSpool(database: string, bytes: number, limitBytes: number): readonly Observation[] {
  const key = conditionKey('spool', database)
  const part = bytes / limitBytes
  if (part <= spoolWarningPart) return [{ what: 'absent', key }]
  const full = part >= 1
  const state = full ? 'is full' : `is ${Math.floor(part * 100)} % full`
  const condition = {
    key,
    kind: 'spool',
    severity: full ? 'critical' : 'warning',
    database,
    summary: `The spool of ${database} ${state}: ${formatBytes(bytes)} of ${formatBytes(limitBytes)} wait for the repository.`,
    hint: full
      ? 'Commits are kept in coarser form, or not at all, until the repository can be reached.'
      : 'See why the repository cannot be reached: when the spool is full, not every commit can be kept.',
    details: { bytes, limitBytes },
  } as const
  return [{ what: 'present', condition }]
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
