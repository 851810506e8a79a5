import type { CalendarTrigger } from './schedule-spec.ts'
import { momentOf, wallClock, zoneChange, zoneOffset } from './zone-time.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const sunday = 7

/**
 * The first moment after another at which a calendar schedule is due. It is due exactly once on each of its days: a time that the wall
 * clock shows twice counts when it is shown first, one that it skips when it jumps, or, if it jumps past midnight, in the minute
 * before. A day that the zone skips altogether has no run. `hourly` is due exactly once in each hour of UTC.
 */
export function nextCalendarRun(trigger: CalendarTrigger, after: number): number {
  const { every, at = 0, timeZone = 'UTC' } = trigger
  if (every === 'hourly') return nextHourlyRun((at % 60) * minute, timeZone, after)
  for (const date of dates(trigger, Math.floor(wallClock(after, timeZone) / day))) {
    const moment = dueMoment(date * day + at * minute, timeZone)
    if (moment !== undefined && moment > after) return moment
  }
  throw new RangeError(`No ${every} run after ${after}`)
}

/**
 * The one moment of a day at which what is to be done at a time of the wall clock is due; undefined on a day that the zone skips.
 * @param wall the moment at which a clock in UTC would show it
 */
export function dueMoment(wall: number, zone: string): number | undefined {
  const found = momentOf(wall, zone)
  if ('shown' in found) return found.shown
  const onDay = (moment: number) => Math.floor(wallClock(moment, zone) / day) === Math.floor(wall / day)
  return [found.skippedAt, found.skippedAt - minute].find(onDay)
}

/** The days of a schedule, by number since 1970, from at least one before `today` on. */
function* dates({ every, day: on, month = 1 }: CalendarTrigger, today: number): Generator<number> {
  if (every === 'daily') {
    for (let date = today - 1; ; date++) yield date
  }
  if (every === 'weekly') {
    // Day 0, in 1970, was a Thursday.
    const weekday = ((((today + 3) % 7) + 7) % 7) + 1
    for (let date = today - weekday + (on ?? sunday) - 7; ; date += 7) yield date
  }
  const now = new Date(today * day)
  const [step, first] = every === 'yearly' ? [12, month - 1 - 12] : [1, now.getUTCMonth() - 1]
  for (let months = first; ; months += step) yield dayOfMonth(now.getUTCFullYear(), months, on ?? 1)
}

/** @param month counted from January of `year`, below 0 and above 11 too */
function dayOfMonth(year: number, month: number, on: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return Date.UTC(year, month, Math.min(on, last)) / day
}

function nextHourlyRun(time: number, zone: string, after: number): number {
  let start = Math.floor(after / hour) * hour
  for (;;) {
    const moment = runInHour(start, time, zone)
    if (moment > after) return moment
    start += hour
  }
}

/** Where a zone's clock changes by part of an hour, the wanted minute may come twice in an hour of UTC, or not at all. */
function runInHour(start: number, time: number, zone: string): number {
  const end = start + hour
  const [before, after] = [zoneOffset(start, zone), zoneOffset(end - 1, zone)]
  const first = start + positive(time - before - start)
  if (before === after) return first
  const change = zoneChange(start, end - 1, zone)
  if (first < change) return first
  const second = change + positive(time - after - change)
  return second < end ? second : change
}

function positive(distance: number): number {
  return ((distance % hour) + hour) % hour
}
