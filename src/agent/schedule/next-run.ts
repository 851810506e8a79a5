import { nextCalendarRun } from './calendar-run.ts'
import { nextCronRun } from './cron-run.ts'
import type { ScheduleTrigger } from './schedule-spec.ts'

const day = 86_400_000

/** The first moment after `after` at which a run is due by the clock; undefined if none ever is. In milliseconds since 1970. */
export function nextRun(trigger: ScheduleTrigger, after: number): number | undefined {
  switch (trigger.on) {
    case 'calendar':
      return nextCalendarRun(trigger, after)
    case 'cron':
      return nextCronRun(trigger, after)
    case 'interval':
      return after + trigger.everyMs
    case 'commits':
    case 'bytes':
    case 'quiet':
      return undefined
  }
}

/** The first run that was due since the last one and has not come yet, if there is one. */
export function missedRun(trigger: ScheduleTrigger, lastRun: number, now: number): number | undefined {
  const due = nextRun(trigger, lastRun)
  return due !== undefined && due <= now ? due : undefined
}

/**
 * From when a schedule counts of which nothing is remembered, and which is to count from a moment that may be long ago. Of an interval only what
 * has just been missed is left of that: it has no beat yet.
 */
export function beginning(trigger: ScheduleTrigger, since: number, now: number): number {
  return trigger.on === 'interval' ? Math.max(since, now - trigger.everyMs - 1) : since
}

/**
 * A run begins that was due: up to which moment everything is done with it. Runs that were due meanwhile are done with as well; an
 * interval keeps its beat.
 */
export function doneUpTo(trigger: ScheduleTrigger, due: number, now: number): number {
  if (now < due) return due
  return trigger.on === 'interval' ? now - ((now - due) % trigger.everyMs) : now
}

/**
 * What is known to be done may lie ahead of a clock that was set back. Runs of the day ahead are not repeated, and a single run
 * not even later; beyond that the clock was plainly wrong before, and a schedule must not wait until it is that late again.
 */
export function believable(trigger: ScheduleTrigger, doneUntil: number, now: number): number {
  if (doneUntil <= now) return doneUntil
  if (trigger.on === 'interval') return now
  if (doneUntil - now <= day) return doneUntil
  const first = nextRun(trigger, now)
  const second = first === undefined ? undefined : nextRun(trigger, first)
  return second === undefined || second > doneUntil ? doneUntil : now
}
