import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'
import type { ScheduleTrigger } from '../../../src/agent/schedule/schedule-spec.ts'
import { seededRandom, testSeed } from '../../support/random.ts'
import { daysShown, dueOn, momentsOf, oddTimes, type ZoneHistory, zoneHistory } from './support/zone-history.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const from = Date.UTC(2020, 0, 1)
const to = Date.UTC(2031, 0, 1)

/** Each does with its clock what hardly any other does. */
const always = [
  'America/Nuuk',
  'America/Havana',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Santiago',
]

const seed = testSeed()
const random = seededRandom(seed)
/** All zones that the runtime knows, with `HOLDFAST_ZONES=all`; else some. */
const zones =
  process.env['HOLDFAST_ZONES'] === 'all' ? Intl.supportedValuesOf('timeZone') : [...always, ...someZones(9)]

function someZones(count: number): string[] {
  const rest = Intl.supportedValuesOf('timeZone').filter((zone) => !always.includes(zone))
  return Array.from({ length: count }, () => rest.splice(random.below(rest.length), 1)).flat()
}

function runsOf(trigger: ScheduleTrigger, start: number, end: number): number[] {
  const found: number[] = []
  for (let at = nextRun(trigger, start - 1); at !== undefined && at < end; at = nextRun(trigger, at)) found.push(at)
  return found
}

/** On each of those days exactly one run, at its time if the day has it. */
function assertOnce(trigger: ScheduleTrigger, history: ZoneHistory, days: readonly number[], minutes: number): void {
  const [first, last] = [days[0] ?? assert.fail(), days.at(-1) ?? assert.fail()]
  // The days at both ends are there in part only.
  const expected = days
    .filter((date) => date > first && date < last)
    .map((date) => dueOn(history, date, minutes * minute))
  const runs = runsOf(trigger, expected[0] ?? from, (expected.at(-1) ?? to) + 1)
  const at = (moment: number) => new Date(moment).toISOString()
  assert.deepEqual(runs.map(at), expected.map(at), `${JSON.stringify(trigger)}, seed ${seed}`)
}

const dayOfWeek = (date: number) => ((((date + 3) % 7) + 7) % 7) + 1
const dayOfMonth = (date: number) => new Date(date * day).getUTCDate()

describe(`from 2020 to 2030, in zones of seed ${seed}`, () => {
  for (const timeZone of zones)
    it(`each day of a schedule has its one run in ${timeZone}`, () => {
      const history = zoneHistory(timeZone, from, to)
      const days = daysShown(history)
      const odd = [...new Set(oddTimes(history))]
      const minutes = odd.length > 0 && random.chance(80) ? (odd[random.below(odd.length)] ?? 0) : random.below(24 * 60)
      const time = `${minutes % 60} ${Math.floor(minutes / 60)}`
      const calendar = { on: 'calendar', at: minutes, timeZone } as const
      const cron = (expression: string) => ({ on: 'cron', expression, timeZone }) as const

      assertOnce({ ...calendar, every: 'daily' }, history, days, minutes)
      assertOnce(cron(`${time} * * *`), history, days, minutes)
      const weekday = dayOfWeek(days[1 + random.below(7)] ?? 0)
      const weekly = days.filter((date) => dayOfWeek(date) === weekday)
      assertOnce({ ...calendar, every: 'weekly', day: weekday }, history, weekly, minutes)
      assertOnce(cron(`${time} * * ${weekday % 7}`), history, weekly, minutes)
      const monthday = 1 + random.below(28)
      const monthly = days.filter((date) => dayOfMonth(date) === monthday)
      assertOnce({ ...calendar, every: 'monthly', day: monthday }, history, monthly, minutes)
      assertOnce(cron(`${time} ${monthday} * *`), history, monthly, minutes)

      // On and around the days on which the clock changes, at each time that one of them lacks or has twice.
      for (const { start } of history.stretches.slice(1)) {
        const around = days.filter((date) => Math.abs(date - start / day) < 4)
        for (const oddTime of odd) {
          assertOnce({ ...calendar, at: oddTime, every: 'daily' }, history, around, oddTime)
          assertOnce(cron(`${oddTime % 60} ${Math.floor(oddTime / 60)} * * *`), history, around, oddTime)
        }
      }
    })

  for (const timeZone of zones)
    it(`each hour has its run in ${timeZone}`, () => {
      const history = zoneHistory(timeZone, from, to)
      const changes = history.stretches.slice(1).map(({ start }) => start)
      const middle = from + random.below((to - from) / day) * day
      const past = random.below(60)
      for (const near of [middle, ...changes]) {
        const [start, end] = [Math.floor(near / hour) * hour - day, Math.floor(near / hour) * hour + day]
        const runs = runsOf({ on: 'calendar', every: 'hourly', at: past, timeZone }, start, end)
        assert.deepEqual(
          runs.map((run) => Math.floor(run / hour)),
          Array.from({ length: (end - start) / hour }, (_, index) => start / hour + index),
          `at :${past} around ${new Date(near).toISOString()}, seed ${seed}`,
        )
        const shown: number[] = []
        for (let wall = start - day + past * minute; wall < end + day; wall += hour)
          shown.push(...momentsOf(history, wall).filter((moment) => moment >= start && moment < end))
        const due = runsOf({ on: 'cron', expression: `${past} * * * *`, timeZone }, start, end)
        assert.deepEqual(
          due,
          [...new Set(shown)].sort((a, b) => a - b),
          `cron at :${past}, seed ${seed}`,
        )
      }
    })
})
