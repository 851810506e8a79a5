import { Cron } from 'croner'
import { dueMoment } from './calendar-run.ts'
import type { CronTrigger } from './schedule-spec.ts'
import { wallClock, zoneChange, zoneOffset } from './zone-time.ts'

const minute = 60_000
const week = 7 * 24 * 60 * minute

/** Two schedules of many databases have one expression, so it is read once. */
const read = new Map<string, WallTimes>()

/** The times that an expression means, as a wall clock shows them. That it changes in some zones is not the business of the library. */
interface WallTimes {
  /** The first one after another, told as the moment at which a clock in UTC would show it. */
  readonly next: (wall: number) => number | undefined
  /** Whether it means all hours of a day. */
  readonly isEveryHour: boolean
}

/** @throws TypeError or RangeError if the expression is none */
export function readCron(expression: string): WallTimes {
  const known = read.get(expression)
  if (known !== undefined) return known
  const fields = expression.trim().split(/\s+/)
  const isNickname = expression.trim().startsWith('@')
  // Else a date would be read as one moment.
  if (fields.length === 1 && !isNickname) throw new TypeError('five or six fields are expected')
  const cron = new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts', paused: true })
  const hours = isNickname ? (expression.trim().toLowerCase() === '@hourly' ? '*' : '0') : fields.at(-4)
  const isEveryHour = hoursOfDay(hours ?? '') === 24
  const times = { next: (wall: number) => cron.nextRun(new Date(wall))?.getTime(), isEveryHour }
  read.set(expression, times)
  return times
}

/** So many different hours a field of hours means, in whatever way it lists them. */
function hoursOfDay(field: string): number {
  const cron = new Cron(`0 ${field} * * *`, { timezone: 'UTC', mode: '5-part', paused: true })
  return cron.nextRuns(24, new Date(-1)).filter((run) => run.getTime() < 24 * 60 * minute).length
}

/**
 * The first moment after another at which a cron schedule is due; undefined if there is none. One that means every hour is due whenever the
 * wall clock shows its times, so that no real hour is left out. Of any other, each time is due exactly once on its day, as that
 * of a calendar schedule is.
 */
export function nextCronRun({ expression, timeZone = 'UTC' }: CronTrigger, after: number): number | undefined {
  const times = readCron(expression)
  return times.isEveryHour ? nextShown(times, timeZone, after) : nextOfDay(times, timeZone, after)
}

function nextOfDay({ next }: WallTimes, zone: string, after: number): number | undefined {
  let first: number | undefined
  for (let wall = next(wallClock(after, zone)); wall !== undefined; wall = next(wall)) {
    const moment = dueMoment(wall, zone)
    if (moment === undefined) continue
    if (moment > after) first = Math.min(first ?? moment, moment)
    // One that is skipped with the end of its day comes up to a minute before others that are not.
    if (first !== undefined && moment >= first + minute) break
  }
  return first
}

function nextShown({ next }: WallTimes, zone: string, after: number): number | undefined {
  let since = after
  let offset = zoneOffset(since, zone)
  let shown = since + offset
  for (;;) {
    const wall = next(shown)
    if (wall === undefined) return undefined
    const moment = wall - offset
    const change = firstChange(since, moment, offset, zone)
    if (change === undefined) return moment
    since = change
    offset = zoneOffset(since, zone)
    // What it shows at the change itself counts too.
    shown = since + offset - 1
  }
}

/** After `from`, and not after `to`: no two changes come within a week. */
function firstChange(from: number, to: number, offset: number, zone: string): number | undefined {
  for (let start = from; start < to; start += week) {
    const end = Math.min(to, start + week)
    if (zoneOffset(end, zone) !== offset) return zoneChange(start, end, zone)
  }
  return undefined
}
