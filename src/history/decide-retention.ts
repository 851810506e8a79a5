import { Calendar } from './calendar.ts'
import {
  calendarBuckets,
  defaultMaxBackups,
  type KeepReason,
  type RetentionBackup,
  type RetentionDecision,
  type RetentionPolicy,
} from './retention.ts'

/**
 * Which backups a policy keeps, each with every reason, and which it lets go.
 *
 * The safety floor stays whatever the policy says: the newest backup, the newest of a sound database, and the newest that passed a
 * verification. A backup dated after `now` is never counted by any rule and never dropped: a clock was wrong, and nobody knows which.
 * In a calendar bucket, a backup of a damaged database stands behind any other.
 *
 * @param now milliseconds since 1970
 * @param calendar that of the policy's time zone; to be given by who decides many times
 * @throws RangeError for an unknown time zone
 */
export function decideRetention<Backup extends RetentionBackup>(
  backups: readonly Backup[],
  policy: RetentionPolicy,
  now: number,
  calendar: Calendar = new Calendar(policy.timeZone),
): RetentionDecision<Backup> {
  const reasons = new Map<Backup, KeepReason[]>(backups.map((backup) => [backup, []]))
  const keep = (backup: Backup | undefined, reason: KeepReason) => backup && reasons.get(backup)?.push(reason)
  const newestFirst = backups.toSorted((a, b) => b.time - a.time || b.lsn - a.lsn || (a.id < b.id ? 1 : -1))
  const past = newestFirst.filter(({ time }) => time <= now)

  for (const backup of newestFirst) {
    if (backup.time > now) keep(backup, { rule: 'in-the-future' })
    if (backup.pinned) keep(backup, { rule: 'pinned' })
  }
  for (const [rule, backup] of floorOf(past)) keep(backup, { rule })
  for (const backup of past.slice(0, policy.last ?? 0)) keep(backup, { rule: 'last' })
  for (const rule of calendarBuckets) {
    const groups = Map.groupBy(past, ({ time }) => calendar.bucket(rule, time))
    for (const [bucket, group] of [...groups].slice(0, policy[rule] ?? 0))
      keep(group.find(({ health }) => health !== 'damaged') ?? group[0], { rule, bucket })
  }
  for (const rule of ['within', 'window'] as const) {
    const since = now - (policy[rule] ?? Number.NEGATIVE_INFINITY)
    for (const backup of past) if (backup.time > since) keep(backup, { rule })
  }

  const tooMany = new Set(beyondMost(newestFirst, reasons, policy.maxBackups ?? defaultMaxBackups))
  const oldestFirst = newestFirst.reverse().map((backup) => ({ backup, reasons: reasons.get(backup) ?? [] }))
  return {
    keep: oldestFirst.filter((entry) => entry.reasons.length > 0 && !tooMany.has(entry.backup)),
    drop: oldestFirst
      .filter((entry) => entry.reasons.length === 0 || tooMany.has(entry.backup))
      .map(({ backup }) => ({ backup, rule: tooMany.has(backup) ? 'max-backups' : 'no-rule' })),
  }
}

type FloorRule = 'newest' | 'newest-sound' | 'newest-verified'

/** @param past newest first; the newest state is that of the highest LSN, whatever the clock said */
function floorOf<Backup extends RetentionBackup>(past: readonly Backup[]): [FloorRule, Backup | undefined][] {
  const byLsn = past.toSorted((a, b) => b.lsn - a.lsn)
  return [
    ['newest', byLsn[0]],
    [
      'newest-sound',
      byLsn.find(({ health }) => health === 'sound') ?? byLsn.find(({ health }) => health !== 'damaged'),
    ],
    ['newest-verified', byLsn.find(({ verified }) => verified)],
  ]
}

const uncounted: ReadonlySet<KeepReason['rule']> = new Set(['pinned', 'in-the-future'])
const floor: ReadonlySet<KeepReason['rule']> = new Set(['newest', 'newest-sound', 'newest-verified'])

function beyondMost<Backup extends RetentionBackup>(
  newestFirst: readonly Backup[],
  reasons: ReadonlyMap<Backup, readonly KeepReason[]>,
  most: number,
): Backup[] {
  const has = (backup: Backup, rules: ReadonlySet<KeepReason['rule']>) =>
    reasons.get(backup)?.some(({ rule }) => rules.has(rule)) ?? false
  const counted = newestFirst.filter((backup) => reasons.get(backup)?.length !== 0 && !has(backup, uncounted))
  const excess = counted.length - most
  if (excess <= 0) return []
  const oldestFirst = counted.filter((backup) => !has(backup, floor)).reverse()
  const onlyWindow = (backup: Backup) => reasons.get(backup)?.every(({ rule }) => rule === 'window') ?? false
  const [reachableAnyway, others] = [oldestFirst.filter(onlyWindow), oldestFirst.filter((b) => !onlyWindow(b))]
  return [...reachableAnyway, ...others].slice(0, excess)
}
