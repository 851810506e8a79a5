import { believedCommit, believedTimes } from './believed-times.ts'
import { nextRun } from './next-run.ts'
import { type Counters, type DatabaseProgress, dueByProgress } from './progress.ts'
import type { ScheduleSpec } from './schedule-spec.ts'
import type { DatabaseRecord, LastOutcome, ScheduleRecord } from './schedule-state.ts'

/** Where a schedule stands. Times are milliseconds since 1970. */
export interface ScheduleStatus {
  readonly database: string
  readonly schedule: ScheduleSpec
  /** `queued`: it is due, and waits for a place or for another run of the database. */
  readonly state: 'waiting' | 'queued' | 'running'
  /** When it is due next, or became due; undefined while that depends on commits to come, or on when an agent sees it first. */
  readonly due: number | undefined
  /** Commits since its last run that was due, and bytes of the pages that they changed. */
  readonly since: Counters
  readonly lastDue: number | undefined
  readonly lastStarted: number | undefined
  readonly lastFinished: number | undefined
  readonly outcome: LastOutcome | undefined
}

/** When a schedule is due, after what is done. */
export function dueOf(
  { trigger }: ScheduleSpec,
  record: ScheduleRecord,
  progress: DatabaseProgress,
): number | undefined {
  return nextRun(trigger, record.doneUntil) ?? dueByProgress(trigger, progress, record)
}

/** As far as the state tells it, without the scheduler that wrote it. @param of undefined for a schedule that has not been seen yet */
export function statusFromState(
  database: string,
  schedule: ScheduleSpec,
  ofDatabase: DatabaseRecord | undefined,
  now: number,
): ScheduleStatus {
  const { commits, bytes } = ofDatabase ?? { commits: 0, bytes: 0 }
  const progress = { commits, bytes, ...(ofDatabase === undefined ? {} : believedCommit(ofDatabase, now)) }
  const known = ofDatabase?.schedules.get(schedule.id)
  const fresh = { trigger: '', doneUntil: now, commits, bytes }
  const isSeen = known?.trigger === JSON.stringify(schedule.trigger)
  const written = isSeen ? known : fresh
  const record = { ...written, ...believedTimes(schedule.trigger, written, now) }
  // An interval begins when it is seen.
  const isOpen = !isSeen && schedule.trigger.on === 'interval'
  const due = isOpen ? undefined : dueOf(schedule, record, progress)
  return statusOf({ database, schedule, state: 'waiting', due }, record, progress)
}

export function statusOf(
  now: Pick<ScheduleStatus, 'database' | 'schedule' | 'state' | 'due'>,
  { commits, bytes, lastDue, lastStarted, lastFinished, outcome }: ScheduleRecord,
  progress: DatabaseProgress,
): ScheduleStatus {
  const since = { commits: progress.commits - commits, bytes: progress.bytes - bytes }
  return { ...now, since, lastDue, lastStarted, lastFinished, outcome }
}
