/** Wall clocks and moments. A wall-clock time is told as the moment at which a clock in UTC would show it. */

const hour = 3_600_000
/** No zone is further from UTC than this, in either direction. */
const furthest = 15 * hour
const formats = new Map<string, Intl.DateTimeFormat>()

export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** How far the wall clock is ahead of UTC at a moment, in milliseconds. */
export function zoneOffset(moment: number, zone: string): number {
  if (zone === 'UTC') return 0
  const second = Math.floor(moment / 1000) * 1000
  const fields = new Map(
    formatOf(zone)
      .formatToParts(second)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const field = (name: Intl.DateTimeFormatPartTypes) => fields.get(name) ?? 0
  const wall = Date.UTC(
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
  )
  return wall - second
}

export function wallClock(moment: number, zone: string): number {
  return moment + zoneOffset(moment, zone)
}

/** Between two moments of different offsets: the first moment at which the later one holds. At most one change lies between them. */
export function zoneChange(from: number, to: number, zone: string): number {
  const before = zoneOffset(from, zone)
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zoneOffset(middle, zone) === before) low = middle
    else high = middle
  }
  return high
}

/** When a wall clock shows a time: the first such moment; if it is skipped, the moment of the jump. */
export type WallMoment = { readonly shown: number } | { readonly skippedAt: number }

export function momentOf(wall: number, zone: string): WallMoment {
  const [earliest, latest] = [wall - furthest, wall + furthest]
  const [before, after] = [zoneOffset(earliest, zone), zoneOffset(latest, zone)]
  if (before === after) return { shown: wall - before }
  const change = zoneChange(earliest, latest, zone)
  if (wall - before < change) return { shown: wall - before }
  if (wall - after >= change) return { shown: wall - after }
  return { skippedAt: change }
}

/** @throws RangeError for a zone that does not exist */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(zone, format)
  return format
}
