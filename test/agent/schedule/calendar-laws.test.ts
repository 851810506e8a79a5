import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'
import type { ScheduleTrigger } from '../../../src/agent/schedule/schedule-spec.ts'
import { wallClock } from '../../../src/agent/schedule/zone-time.ts'

const hour = 3_600_000
const day = 24 * hour
const minute = 60_000

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Nuuk',
  'America/Havana',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Kolkata',
  'Pacific/Chatham',
]
const zone = fc.constantFrom(...zones)
const year = fc.integer({ min: 2009, max: 2030 })

function runsOf(trigger: ScheduleTrigger, from: number, to: number): number[] {
  const found: number[] = []
  for (let at = nextRun(trigger, from); at !== undefined && at < to; at = nextRun(trigger, at)) found.push(at)
  return found
}

const dateOf = (moment: number, timeZone: string) => Math.floor(wallClock(moment, timeZone) / day)

/** Days that the zone's wall clock ever shows, looked at every half hour. */
function daysOf(from: number, to: number, timeZone: string): number[] {
  const days = new Set<number>()
  for (let at = from; at < to; at += hour / 2) days.add(dateOf(at, timeZone))
  return [...days]
}

describe('over a year', () => {
  it('a daily schedule runs exactly once on each local day, at its time if the day has it', () => {
    fc.assert(
      fc.property(zone, year, fc.integer({ min: 0, max: 24 * 60 - 1 }), (timeZone, inYear, at) => {
        const [from, to] = [Date.UTC(inYear, 0, 1), Date.UTC(inYear + 1, 0, 1)]
        const runs = runsOf({ on: 'calendar', every: 'daily', at, timeZone }, from, to)
        const inside = (date: number) => date > dateOf(from, timeZone) && date < dateOf(to, timeZone)
        assert.deepEqual(
          runs.map((run) => dateOf(run, timeZone)).filter(inside),
          daysOf(from, to, timeZone).filter(inside),
        )
        const moved = runs.filter((run) => (wallClock(run, timeZone) % day) / minute !== at)
        assert.ok(moved.length <= 2, `${moved.length} runs at another time`)
      }),
      { numRuns: 60 },
    )
  })

  it('an hourly schedule runs exactly once in each real hour', () => {
    fc.assert(
      fc.property(zone, year, fc.integer({ min: 0, max: 59 }), (timeZone, inYear, at) => {
        const [from, to] = [Date.UTC(inYear, 0, 1), Date.UTC(inYear + 1, 0, 1)]
        const runs = runsOf({ on: 'calendar', every: 'hourly', at, timeZone }, from - 1, to)
        assert.equal(runs.length, (to - from) / hour)
        for (const [index, run] of runs.entries()) assert.equal(Math.floor(run / hour), from / hour + index)
        const moved = runs.filter((run) => (wallClock(run, timeZone) % hour) / minute !== at)
        assert.ok(moved.length <= 2, `${moved.length} runs at another minute`)
      }),
      { numRuns: 12 },
    )
  })

  it('a cron schedule of one time a day runs when a daily one does', () => {
    fc.assert(
      fc.property(zone, year, fc.integer({ min: 0, max: 24 * 60 - 1 }), (timeZone, inYear, at) => {
        const [from, to] = [Date.UTC(inYear, 0, 1), Date.UTC(inYear + 1, 0, 1)]
        const cron = runsOf({ on: 'cron', expression: `${at % 60} ${Math.floor(at / 60)} * * *`, timeZone }, from, to)
        assert.deepEqual(cron, runsOf({ on: 'calendar', every: 'daily', at, timeZone }, from, to))
      }),
      { numRuns: 40 },
    )
  })
})

describe('of any schedule by the clock', () => {
  const at = fc.integer({ min: 0, max: 24 * 60 - 1 })
  const trigger: fc.Arbitrary<ScheduleTrigger> = fc.oneof(
    fc.record({
      on: fc.constant('calendar' as const),
      every: fc.constantFrom(
        'hourly' as const,
        'daily' as const,
        'weekly' as const,
        'monthly' as const,
        'yearly' as const,
      ),
      at,
      day: fc.integer({ min: 1, max: 7 }),
      month: fc.integer({ min: 1, max: 12 }),
      timeZone: zone,
    }),
    fc.record({ on: fc.constant('interval' as const), everyMs: fc.integer({ min: 1000, max: 10 * day }) }),
    fc.record({
      on: fc.constant('cron' as const),
      expression: fc.constantFrom('*/7 * * * *', '13 */5 * * *', '0 4 * * 1-5', '59 23 L * *', '0 0 29 2 *'),
      timeZone: zone,
    }),
  )
  const moment = fc.integer({ min: Date.UTC(2009, 0, 1), max: Date.UTC(2031, 0, 1) })

  it('the next run is later, and no run lies between', () => {
    fc.assert(
      fc.property(trigger, moment, fc.double({ min: 0, max: 1, noNaN: true }), (schedule, after, part) => {
        const next = nextRun(schedule, after)
        assert.ok(next !== undefined && next > after)
        if (schedule.on === 'interval') return
        const between = Math.floor(after + part * (next - 1 - after))
        assert.equal(nextRun(schedule, between), next)
      }),
      { numRuns: 2000 },
    )
  })
})
