/** Whether a database's newest kept state is as new as it should be, told from the repository alone: whoever looks notices a dead agent. */
import { coverLastsMs } from '../../../capture/upload/lease-keeper.ts'
import type { DatabaseRepository } from '../../../repository/database-repository.ts'
import { knownLease } from '../../../repository/known-lease.ts'
import { backupsPrefix, databasePrefix, parseSegmentKey } from '../../../repository/layout.ts'
import { requireMarker } from '../../../repository/require-marker.ts'
import type { OperationOptions } from '../../../storage/storage.ts'
import { isInFuture } from '../../../util/clock-margin.ts'
import { formatDuration } from '../../../util/format-duration.ts'
import { nextRun } from '../../schedule/next-run.ts'
import type { ScheduleSpec } from '../../schedule/schedule-spec.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** Times are in milliseconds since 1970. */
export interface Freshness {
  readonly database: string
  /** When the state of the newest backup was taken. */
  readonly newestBackupAt?: number | undefined
  /** When the newest state in the repository was seen, as a commit or as all of a database. */
  readonly newestCommitAt?: number | undefined
  /** By when everything that had been committed was in the repository, as a follower last said there. */
  readonly coveredAt?: number | undefined
  /** By when it is taken to be: now, while that follower lives and said so not long ago. */
  readonly coveredUntil?: number | undefined
}

/** How new a database's newest state should be. */
export interface Expectation {
  /** At most so old, in milliseconds; it counts alone when it is given. */
  readonly overdueAfterMs?: number | undefined
  /** Those of the database. A backup is overdue when the next run after it was due some time ago. */
  readonly schedules?: readonly Pick<ScheduleSpec, 'id' | 'action' | 'trigger' | 'jitterMs'>[] | undefined
}

const minute = 60_000
const hour = 60 * minute
/** How late a run may be done: a quarter of the time between two, within these bounds. */
const leastGraceMs = 15 * minute
const mostGraceMs = 12 * hour

/**
 * One listing of the database's part of the repository, and its lease. A follower's base or delta counts as its logs do. What an interrupted
 * backup left does not: its lease still says that it was begun.
 * @param now milliseconds since 1970
 * @throws REPOSITORY_NOT_FOUND where there is nothing at all, not even the repository; STORAGE_*, ABORTED
 */
export async function readFreshness(
  database: DatabaseRepository,
  now: number,
  options: OperationOptions = {},
): Promise<Freshness> {
  const { name } = database
  const lease = await knownLease(database, options)
  let newestBackupAt: number | undefined
  let newestCommitAt: number | undefined
  let isEmpty = true
  let isThere = false
  for await (const object of database.storage.list(databasePrefix(name), options)) {
    isEmpty = false
    const backupAt = object.key.startsWith(backupsPrefix(name)) ? timeOfManifest(object.key) : undefined
    // What a wrong clock dated must not hide what is dated rightly.
    if (backupAt !== undefined && !isInFuture(backupAt, now)) newestBackupAt = newer(newestBackupAt, backupAt)
    const segment = parseSegmentKey(object)
    const state = segment?.key === lease?.document.pending ? undefined : segment
    isThere ||= backupAt !== undefined || state !== undefined
    if (state !== undefined && !isInFuture(state.lastTime, now)) newestCommitAt = newer(newestCommitAt, state.lastTime)
  }
  if (isEmpty) await requireMarker(database.storage, options)
  return { database: name, newestBackupAt, newestCommitAt, ...coverOf(isThere ? lease : undefined, now) }
}

/** A follower that is gone said the last time that all was well; one that is alive, and said so not long ago, would say so now. */
export function coverOf(
  lease: Awaited<ReturnType<typeof knownLease>>,
  now: number,
): Pick<Freshness, 'coveredAt' | 'coveredUntil'> {
  if (lease?.document.coveredAt === undefined) return { coveredAt: undefined, coveredUntil: undefined }
  const coveredAt = Date.parse(lease.document.coveredAt)
  // Whoever wrote that had a wrong clock.
  if (isInFuture(coveredAt, now)) return { coveredAt: undefined, coveredUntil: undefined }
  const isFollowed = lease.isHeld && lease.document.purpose === 'follow'
  return { coveredAt, coveredUntil: isFollowed && now < coveredAt + coverLastsMs ? now : coveredAt }
}

/** `…/20260131T140000000Z-full-….json`, as `manifestKey` names it. */
function timeOfManifest(key: string): number | undefined {
  const match = /\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-/.exec(key)
  if (match === null) return undefined
  const [, year, month, day, hours, minutes, seconds, milliseconds] = match
  const time = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${milliseconds}Z`)
  return Number.isNaN(time) ? undefined : time
}

function newer(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}

/** When the newest state was current. One that is dated in the future does not count. @param now milliseconds since 1970 */
export function newestStateAt(
  { newestBackupAt, newestCommitAt, coveredUntil }: Freshness,
  now: number,
): number | undefined {
  return [newestBackupAt, newestCommitAt, coveredUntil]
    .filter((time) => time !== undefined && time <= now)
    .reduce(newer, undefined)
}

/** @param now milliseconds since 1970 */
export function observeFreshness(freshness: Freshness, expectation: Expectation, now: number): readonly Observation[] {
  const { database } = freshness
  const key = conditionKey('overdue', database)
  const newestAt = newestStateAt(freshness, now)
  const overdueAt = dueBy(expectation, newestAt ?? now)
  if (overdueAt === undefined) return [{ what: 'absent', key }]
  const condition = { key, kind: 'overdue', severity: 'critical', database } as const
  const hint = 'See whether its agent runs, and what "holdfast history" says.'
  if (newestAt === undefined) {
    const limitMs = overdueAt - now
    const summary = `There is no backup of ${database} at all.`
    return [{ what: 'present', condition: { ...condition, summary, hint, details: { limitMs } }, delayMs: limitMs }]
  }
  if (now <= overdueAt) return [{ what: 'absent', key }]
  const ageMs = now - newestAt
  const limitMs = overdueAt - newestAt
  const summary = `The newest state of ${database} in the repository is ${formatDuration(ageMs)} old; it should never be older than ${formatDuration(limitMs)}.`
  const details = { newestAt: new Date(newestAt).toISOString(), ageMs, limitMs }
  return [{ what: 'present', condition: { ...condition, summary, hint, details } }]
}

/** When the next state after that of `newestAt` must be there; undefined when nothing says so. */
export function dueBy({ overdueAfterMs, schedules = [] }: Expectation, newestAt: number): number | undefined {
  if (overdueAfterMs !== undefined) return newestAt + overdueAfterMs
  return firstDueBy(
    schedules.filter(({ action }) => action === 'full' || action === 'incremental' || action === 'snapshot'),
    newestAt,
  )
}

/** By when the first of these schedules must have done something since `doneAt`; undefined if none goes by the clock. */
export function firstDueBy(
  schedules: readonly Pick<ScheduleSpec, 'trigger' | 'jitterMs'>[],
  doneAt: number,
): number | undefined {
  const limits = schedules.flatMap(({ trigger, jitterMs = 0 }) => {
    const due = nextRun(trigger, doneAt)
    const then = due === undefined ? undefined : nextRun(trigger, due)
    if (due === undefined || then === undefined) return []
    return [due + jitterMs + Math.min(mostGraceMs, Math.max(leastGraceMs, (then - due) / 4))]
  })
  return limits.length === 0 ? undefined : Math.min(...limits)
}
