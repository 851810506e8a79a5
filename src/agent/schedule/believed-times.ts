/** What was written down under a clock that went ahead: nothing of it happened later than now. */
import { believable } from './next-run.ts'
import type { ScheduleTrigger } from './schedule-spec.ts'
import type { DatabaseRecord, ScheduleRecord } from './schedule-state.ts'

type Committed = Pick<DatabaseRecord, 'lastCommitAt'>

/** Else what waits for commits would wait until it is that late again. */
export function believedCommit({ lastCommitAt }: Committed, now: number): Committed {
  return lastCommitAt === undefined ? {} : { lastCommitAt: Math.min(lastCommitAt, now) }
}

type Times = Pick<ScheduleRecord, 'doneUntil' | 'lastDue' | 'lastStarted' | 'lastFinished'>

export function believedTimes(
  trigger: ScheduleTrigger,
  { doneUntil, lastDue, lastStarted, lastFinished }: Times,
  now: number,
): Times {
  return {
    doneUntil: believable(trigger, doneUntil, now),
    ...(lastDue === undefined ? {} : { lastDue: Math.min(lastDue, now) }),
    ...(lastStarted === undefined ? {} : { lastStarted: Math.min(lastStarted, now) }),
    ...(lastFinished === undefined ? {} : { lastFinished: Math.min(lastFinished, now) }),
  }
}
