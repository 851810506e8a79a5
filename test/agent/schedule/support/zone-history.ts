/** What the wall clock of a zone shows, told from the runtime's own table alone: a second opinion for the code under test. */
const minute = 60_000
const day = 24 * 60 * minute

/** From `start` on, until the next one begins, the clock is so far ahead of UTC. Milliseconds. */
interface Stretch {
  readonly start: number
  readonly end: number
  readonly offset: number
}

export interface ZoneHistory {
  readonly zone: string
  readonly stretches: readonly Stretch[]
}

/** Each change is found where two moments of a coarse step differ. */
export function zoneHistory(zone: string, from: number, to: number): ZoneHistory {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  const offsetAt = (moment: number): number => {
    const name = format.formatToParts(moment).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = /GMT([+-])(\d+):(\d+)(?::(\d+))?/.exec(name) ?? []
    return (sign === '-' ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  }
  const stretches: Stretch[] = []
  let [start, offset] = [from, offsetAt(from)]
  for (let at = from; at < to; at += day) {
    const next = Math.min(to, at + day)
    if (offsetAt(next) === offset) continue
    let [low, high] = [at, next]
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000
      if (offsetAt(middle) === offset) low = middle
      else high = middle
    }
    stretches.push({ start, end: high, offset })
    start = high
    offset = offsetAt(high)
  }
  stretches.push({ start, end: to, offset })
  return { zone, stretches }
}

/** Every day that the wall clock shows at all, by number since 1970. */
export function daysShown({ stretches }: ZoneHistory): number[] {
  const days = new Set<number>()
  for (const { start, end, offset } of stretches)
    for (let date = Math.floor((start + offset) / day); date * day < end + offset; date++) days.add(date)
  return [...days]
}

/** The moments at which the clock shows a time. */
export function momentsOf({ stretches }: ZoneHistory, wall: number): number[] {
  return stretches.flatMap(({ start, end, offset }) =>
    wall - offset >= start && wall - offset < end ? [wall - offset] : [],
  )
}

/**
 * When what is to be done at a time of a day is due: the first time that the clock shows it; if it never does, when it jumps over it, or, if it
 * jumps over the end of the day too, in the minute before.
 */
export function dueOn(history: ZoneHistory, date: number, time: number): number {
  const [first] = momentsOf(history, date * day + time)
  if (first !== undefined) return first
  const { stretches } = history
  const jump = stretches.findIndex(
    ({ end, offset }, index) =>
      end + offset <= date * day + time && end + (stretches[index + 1]?.offset ?? offset) > date * day + time,
  )
  const [before, after] = [stretches[jump], stretches[jump + 1]]
  if (before === undefined || after === undefined) throw new Error(`${history.zone} skips nothing on day ${date}`)
  const isSameDay = Math.floor((after.start + after.offset) / day) === date
  return isSameDay ? after.start : before.end - minute
}

/** Times of day, in minutes, that the clock skips or shows twice on some day. */
export function oddTimes({ stretches }: ZoneHistory): number[] {
  return stretches.slice(1).flatMap(({ start, offset }, index) => {
    const before = stretches[index]?.offset ?? offset
    const first = start + Math.min(before, offset)
    const middle = first + Math.abs(offset - before) / 2
    return [first, middle].map((wall) => Math.floor((((wall % day) + day) % day) / minute))
  })
}
