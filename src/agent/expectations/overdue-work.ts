/** Which of the work that is expected of a database is overdue. Pure: expectation and evidence in, what is overdue out. */
import { formatDuration } from '../../util/format-duration.ts'
import type { AlertKind, Condition, Severity } from '../notify/alert.ts'
import { conditionKey } from '../notify/alert.ts'
import { dueBy, firstDueBy } from '../notify/conditions/freshness.ts'
import type { ExpectedWork } from './expected-work.ts'
import type { Evidence } from './read-evidence.ts'

/** An agent that is being restarted, or a database that moves, is followed again within this time. */
export const patienceMs = 15 * 60_000

const kind: AlertKind = 'overdue'

/** @param now milliseconds since 1970. What is dated in the future does not count as done. */
export function overdueWork(expected: ExpectedWork, evidence: Evidence, now: number): readonly Condition[] {
  const { follower } = evidence
  const unfollowed = follower?.state === 'gone' ? longUnfollowed(expected, follower, now) : []
  return [
    ...(unfollowed.length === 0 ? stale(expected, evidence, now) : unfollowed),
    ...undone(expected, 'verify', 'Nothing of', 'was verified', evidence.verifiedAt, now),
    ...undone(expected, 'drill', 'No restore of', 'was tried', evidence.drilledAt, now),
  ]
}

function longUnfollowed(
  expected: ExpectedWork,
  { since, process }: Extract<Evidence['follower'], { state: 'gone' }>,
  now: number,
): readonly Condition[] {
  const { database, host } = expected
  const aliveAt = Math.max(Math.min(since ?? 0, now), expected.since)
  if (now <= aliveAt + patienceMs) return []
  const why =
    process === undefined
      ? `that is expected of the agent on ${host}`
      : `process ${process.pid} on ${process.host} ended without letting go`
  return [conditionOf(expected, [], 'critical', `Nobody follows ${database} any more: ${why}.`, {})]
}

function stale(expected: ExpectedWork, { newestStateAt }: Evidence, now: number): readonly Condition[] {
  const { database, host } = expected
  const newestAt = newestStateAt !== undefined && newestStateAt <= now ? newestStateAt : undefined
  const base = Math.max(newestAt ?? 0, expected.since)
  const overdueAt = dueBy(expected, base)
  if (overdueAt === undefined || now <= overdueAt) return []
  const limitMs = overdueAt - base
  const summary =
    newestAt === undefined
      ? `There is no backup of ${database} at all, which the agent on ${host} should have made.`
      : `The newest state of ${database} in the repository is ${formatDuration(now - newestAt)} old; the agent on ${host} should never let it be older than ${formatDuration(limitMs)}.`
  const details = newestAt === undefined ? { limitMs } : { newestAt: iso(newestAt), ageMs: now - newestAt, limitMs }
  return [conditionOf(expected, [], 'critical', summary, details)]
}

function undone(
  expected: ExpectedWork,
  action: 'verify' | 'drill',
  nothing: string,
  wasDone: string,
  doneAt: number | undefined,
  now: number,
): readonly Condition[] {
  const { database, host, schedules } = expected
  const own = schedules.filter((schedule) => schedule.action === action)
  const base = Math.max(doneAt !== undefined && doneAt <= now ? doneAt : 0, expected.since)
  const overdueAt = firstDueBy(own, base)
  if (overdueAt === undefined || now <= overdueAt) return []
  const summary = `${nothing} ${database} ${wasDone} for ${formatDuration(now - base)}, which the agent on ${host} should do more often.`
  return [conditionOf(expected, [action], 'warning', summary, { ageMs: now - base, limitMs: overdueAt - base })]
}

function conditionOf(
  { database, agent, host, config, path }: ExpectedWork,
  parts: readonly string[],
  severity: Severity,
  summary: string,
  details: Condition['details'],
): Condition {
  return {
    key: conditionKey(kind, database, ...parts),
    kind,
    severity,
    database,
    summary,
    hint: `See whether the agent on ${host} runs (${config}). If it never will again: "holdfast agents forget ${agent}".`,
    details: { ...details, agent, host, config, path },
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
