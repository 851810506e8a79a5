import type { CalendarBucket } from './retention.ts'

/** A day has this many milliseconds in UTC, where there is no daylight saving. */
const dayMs = 86_400_000

/** Names the hour, day, ISO week, month and year that a moment lies in, as clocks in a time zone show them. */
export class Calendar {
  readonly #format: Intl.DateTimeFormat
  readonly #names = new Map<number, Readonly<Record<CalendarBucket, string>>>()

  /** @param timeZone IANA name @throws RangeError if there is no such zone */
  constructor(timeZone = 'UTC') {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      timeZoneName: 'longOffset',
    })
  }

  /** `2025-02-14T03+01:00`, `2025-02-14`, `2025-W07`, `2025-02`, `2025`. The hour that comes twice in autumn has two names. */
  bucket(kind: CalendarBucket, time: number): string {
    return this.#namesOf(time)[kind]
  }

  #namesOf(time: number): Readonly<Record<CalendarBucket, string>> {
    const known = this.#names.get(time)
    if (known !== undefined) return known
    const parts = new Map(this.#format.formatToParts(time).map(({ type, value }) => [type, value]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
    const [year, month, day] = [part('year').padStart(4, '0'), part('month'), part('day')]
    const offset = part('timeZoneName').replace('GMT', '')
    const daily = `${year}-${month}-${day}`
    const names = {
      hourly: `${daily}T${part('hour')}${offset === '' ? 'Z' : offset}`,
      daily,
      weekly: isoWeek(Number(year), Number(month), Number(day)),
      monthly: `${year}-${month}`,
      yearly: year,
    }
    this.#names.set(time, names)
    return names
  }
}

/** ISO 8601: weeks begin on Monday, and belong to the year in which their Thursday lies. */
function isoWeek(year: number, month: number, day: number): string {
  const days = Date.UTC(year, month - 1, day) / dayMs
  // 1970 began on a Thursday.
  const thursday = days - ((((days + 3) % 7) + 7) % 7) + 3
  const newYear = (of: number) => Date.UTC(of, 0, 1) / dayMs
  const weekYear = thursday < newYear(year) ? year - 1 : thursday >= newYear(year + 1) ? year + 1 : year
  const week = Math.floor((thursday - newYear(weekYear)) / 7) + 1
  return `${String(weekYear).padStart(4, '0')}-W${String(week).padStart(2, '0')}`
}
