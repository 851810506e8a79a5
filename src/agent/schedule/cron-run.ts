import { Cron } from 'croner'
import type { CronTrigger } from './schedule-spec.ts'

/**
 * Lists of fixed hours are runs of their own, not intervals: each is due once on the days on which the clock changes too.
 * Two schedules of many databases have one expression, so it is read once.
 */
const read = new Map<string, Cron>()

/** @throws TypeError or RangeError if the expression is none, or the zone does not exist */
export function readCron({ expression, timeZone = 'UTC' }: CronTrigger): Cron {
  const key = `${timeZone} ${expression}`
  const known = read.get(key)
  if (known !== undefined) return known
  const cron = new Cron(expression, {
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
  read.set(key, cron)
  return cron
}

export function nextCronRun(trigger: CronTrigger, after: number): number | undefined {
  return readCron(trigger).nextRun(new Date(after))?.getTime()
}
