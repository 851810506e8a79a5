import type { ParsedComponents } from 'chrono-node'
import { parseDuration } from './parse/duration.ts'
import { usageError } from './usage-error.ts'

const examples = '"2026-01-31 14:00", 2026-01-31T14:00:00Z, 1769868000, now, -2h, "2 hours ago", "yesterday 14:00"'

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ]+(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?(?:\s*\([\w/+-]+\))?)?)?$/i

/**
 * A moment as people write it, in milliseconds since 1970. Without a zone, local time is meant; without a time of day, its
 * first moment; `now` is the clock that the rest counts from.
 * @throws USAGE for what is not a time, with examples
 */
export async function parseTime(text: string, now: number): Promise<number> {
  const trimmed = text.trim()
  const time = parseFixed(trimmed) ?? parseRelative(trimmed, now) ?? (await parsePhrase(trimmed, now))
  // The range of a Date.
  if (time === undefined || !(Math.abs(time) <= 8.64e15)) {
    throw usageError(`"${text}" is not a time that can be understood.`, `Write a time such as ${examples}.`, text)
  }
  return time
}

function parseFixed(text: string): number | undefined {
  // Eleven digits of seconds reach the year 5138; in milliseconds, twelve begin in 1973.
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000)
  if (/^\d{12,14}$/.test(text)) return Number(text)
  const match = iso.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const fields = [year, month, day, hour, minute, second].map(Number)
  const millisecond = Number(fraction.slice(0, 3).padEnd(3, '0'))
  return zone === undefined ? localTime(fields, millisecond) : zonedTime(fields, millisecond, zone)
}

type Fields = readonly number[]

function localTime(
  [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: Fields,
  ms: number,
): number | undefined {
  if (!isClockTime(hour, minute, second)) return undefined
  // The hour may become another, also of the next day: daylight saving skips one.
  return isDay(year, month, day) ? new Date(year, month - 1, day, hour, minute, second, ms).getTime() : undefined
}

function zonedTime(
  [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: Fields,
  ms: number,
  zone: string,
): number | undefined {
  if (!isClockTime(hour, minute, second) || !isDay(year, month, day)) return undefined
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms)
  if (zone.toUpperCase() === 'Z') return time
  // The name of the zone may follow, as times are shown; the offset says it all.
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?/.exec(zone) ?? []
  const offset = Number(hours) * 60 + Number(minutes)
  return time - (sign === '-' ? -offset : offset) * 60_000
}

/** The 30th of February would be the 1st or 2nd of March. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

function isClockTime(hour: number, minute: number, second: number): boolean {
  return hour <= 23 && minute <= 59 && second <= 59
}

function parseRelative(text: string, now: number): number | undefined {
  if (/^now$/i.test(text)) return now
  if (!/^-\s*\d/.test(text)) return undefined
  const duration = parseDuration(text.slice(1))
  // "-2" could mean hours as well as seconds.
  return duration === undefined || !/[a-z]$/i.test(text) ? undefined : now - duration
}

/** Nothing to come can be restored: a weekday, or a day without a year, means the one that was last. */
function latestSuch(moment: ParsedComponents, now: number): Date {
  const date = moment.date()
  if (date.getTime() <= now || moment.isCertain('year')) return date
  if (moment.isCertain('day')) {
    if (moment.isCertain('month')) date.setFullYear(date.getFullYear() - 1)
  } else if (moment.isCertain('weekday')) date.setDate(date.getDate() - 7)
  return date
}

const partOfDay = /\b(?:morning|forenoon|afternoon|evening|night|tonight|midnight|noon|midday)\b/i

async function parsePhrase(text: string, now: number): Promise<number | undefined> {
  // Digits and signs alone are a mistyped date, which the phrase parser would read in its own way.
  if (!/[a-z]{2}|^\d{1,2}:\d{2}/i.test(text) || /^\d{4}-/.test(text)) return undefined
  const { parse } = await import('chrono-node')
  const [found, another] = parse(text, new Date(now))
  if (found === undefined || another !== undefined || found.text.length !== text.length || found.end !== null)
    return undefined
  const date = /\bnext\b/i.test(text) ? found.start.date() : latestSuch(found.start, now)
  // "Yesterday evening" is no moment, and its day's beginning is none of its evening.
  if (!found.start.isCertain('hour') && partOfDay.test(text)) return undefined
  // "3 days ago" means 72 hours, but "last friday" the day's beginning.
  if (/\bago$/i.test(text)) return date.getTime()
  if (!found.start.isCertain('hour')) date.setHours(0, 0, 0, 0)
  else if (!found.start.isCertain('second')) date.setSeconds(0, 0)
  return date.getTime()
}
