import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'
import type { TimedTrigger } from '../../../src/agent/schedule/schedule-spec.ts'
import { isTimeZone, momentOf, wallClock, zoneOffset } from '../../../src/agent/schedule/zone-time.ts'

/** `2026-03-29 03:00 +02:00`: how a wall clock in the zone shows a moment. */
function shown(moment: number | undefined, zone = 'UTC'): string {
  if (moment === undefined) return 'never'
  const offset = zoneOffset(moment, zone) / 60_000
  const size = Math.abs(offset)
  const pad = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const wall = new Date(wallClock(moment, zone)).toISOString().replace('T', ' ').slice(0, 16)
  return `${wall} ${offset < 0 ? '-' : '+'}${pad(size / 60)}:${pad(size % 60)}`
}

function runs(trigger: TimedTrigger, from: string, count: number): string[] {
  const zone = trigger.on === 'interval' ? 'UTC' : trigger.timeZone
  const found: string[] = []
  let at: number | undefined = Date.parse(from)
  while (found.length < count) {
    at = at === undefined ? undefined : nextRun(trigger, at)
    found.push(shown(at, zone))
  }
  return found
}

const at = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

describe('a daily schedule on the days on which the clock changes', () => {
  const cases: readonly (readonly [what: string, zone: string, time: string, from: string, expected: string[]])[] = [
    [
      'a time that is skipped runs when the clock jumps, in Berlin',
      'Europe/Berlin',
      '02:30',
      '2026-03-28T00:00Z',
      ['2026-03-28 02:30 +01:00', '2026-03-29 03:00 +02:00', '2026-03-30 02:30 +02:00'],
    ],
    [
      'a time that comes twice runs the first time, in Berlin',
      'Europe/Berlin',
      '02:30',
      '2026-10-24T12:00Z',
      ['2026-10-25 02:30 +02:00', '2026-10-26 02:30 +01:00'],
    ],
    [
      'the moment of the jump itself is skipped, and the first after it is not, in Berlin',
      'Europe/Berlin',
      '02:00',
      '2026-03-28T12:00Z',
      ['2026-03-29 03:00 +02:00', '2026-03-30 02:00 +02:00'],
    ],
    [
      'in New York in spring',
      'America/New_York',
      '02:15',
      '2026-03-07T12:00Z',
      ['2026-03-08 03:00 -04:00', '2026-03-09 02:15 -04:00'],
    ],
    [
      'in New York in autumn',
      'America/New_York',
      '01:15',
      '2026-10-31T12:00Z',
      ['2026-11-01 01:15 -04:00', '2026-11-02 01:15 -05:00'],
    ],
    [
      'on Lord Howe Island, where half an hour is skipped',
      'Australia/Lord_Howe',
      '02:15',
      '2026-10-03T12:00Z',
      ['2026-10-04 02:30 +11:00', '2026-10-05 02:15 +11:00'],
    ],
    [
      'on Lord Howe Island, where half an hour comes twice',
      'Australia/Lord_Howe',
      '01:45',
      '2026-04-04T12:00Z',
      ['2026-04-05 01:45 +11:00', '2026-04-06 01:45 +10:30'],
    ],
    [
      'in Apia, which skipped a whole day',
      'Pacific/Apia',
      '02:30',
      '2011-12-29T11:00Z',
      ['2011-12-29 02:30 -10:00', '2011-12-31 02:30 +14:00', '2012-01-01 02:30 +14:00'],
    ],
    [
      'in Havana, where midnight is skipped',
      'America/Havana',
      '00:00',
      '2026-03-07T12:00Z',
      ['2026-03-08 01:00 -04:00', '2026-03-09 00:00 -04:00'],
    ],
    [
      'in Nuuk, where the last hour of a day is skipped, in the minute before',
      'America/Nuuk',
      '23:30',
      '2026-03-28T12:00Z',
      ['2026-03-28 22:59 -02:00', '2026-03-29 23:30 -01:00'],
    ],
  ]
  for (const [what, timeZone, time, from, expected] of cases)
    it(what, () => {
      assert.deepEqual(
        runs({ on: 'calendar', every: 'daily', at: at(time), timeZone }, from, expected.length),
        expected,
      )
    })
})

describe('an hourly schedule where the clock changes by half an hour', () => {
  const hourly = (minute: number): TimedTrigger => {
    return { on: 'calendar', every: 'hourly', at: minute, timeZone: 'Australia/Lord_Howe' }
  }
  it('is not lost where its minute is skipped', () => {
    assert.deepEqual(runs(hourly(15), '2026-10-03T14:00Z', 4), [
      '2026-10-04 01:15 +10:30',
      '2026-10-04 02:30 +11:00',
      '2026-10-04 03:15 +11:00',
      '2026-10-04 04:15 +11:00',
    ])
  })
  it('is not doubled where its minute comes twice within an hour', () => {
    assert.deepEqual(runs(hourly(45), '2026-10-03T14:00Z', 3), [
      '2026-10-04 00:45 +10:30',
      '2026-10-04 01:45 +10:30',
      '2026-10-04 03:45 +11:00',
    ])
  })
  it('has a run in each hour when the clock goes back', () => {
    assert.deepEqual(runs(hourly(45), '2026-04-04T14:00Z', 3), [
      '2026-04-05 01:45 +11:00',
      '2026-04-05 01:45 +10:30',
      '2026-04-05 02:45 +10:30',
    ])
  })
})

describe('weeks, months and years', () => {
  it('are begun on Sunday, the first, and the first of January unless told otherwise', () => {
    assert.deepEqual(runs({ on: 'calendar', every: 'weekly' }, '2026-11-21T12:00Z', 2), [
      '2026-11-22 00:00 +00:00',
      '2026-11-29 00:00 +00:00',
    ])
    assert.deepEqual(runs({ on: 'calendar', every: 'monthly' }, '2026-11-21T12:00Z', 2), [
      '2026-12-01 00:00 +00:00',
      '2027-01-01 00:00 +00:00',
    ])
    assert.deepEqual(runs({ on: 'calendar', every: 'yearly' }, '2026-11-21T12:00Z', 2), [
      '2027-01-01 00:00 +00:00',
      '2028-01-01 00:00 +00:00',
    ])
  })
  it('find each weekday', () => {
    const days = [1, 2, 3, 4, 5, 6, 7].flatMap((day) =>
      runs({ on: 'calendar', every: 'weekly', day }, '2026-11-21T00:00Z', 1),
    )
    assert.deepEqual(days, [
      '2026-11-23 00:00 +00:00',
      '2026-11-24 00:00 +00:00',
      '2026-11-25 00:00 +00:00',
      '2026-11-26 00:00 +00:00',
      '2026-11-27 00:00 +00:00',
      '2026-11-28 00:00 +00:00',
      '2026-11-22 00:00 +00:00',
    ])
  })
  it('take the last day of a month that has no 31st', () => {
    const trigger: TimedTrigger = { on: 'calendar', every: 'monthly', day: 31, at: 60, timeZone: 'Europe/Berlin' }
    assert.deepEqual(runs(trigger, '2028-01-31T00:00Z', 5), [
      '2028-02-29 01:00 +01:00',
      '2028-03-31 01:00 +02:00',
      '2028-04-30 01:00 +02:00',
      '2028-05-31 01:00 +02:00',
      '2028-06-30 01:00 +02:00',
    ])
  })
  it('take the 28th of February where there is no 29th', () => {
    const trigger: TimedTrigger = { on: 'calendar', every: 'yearly', month: 2, day: 29 }
    assert.deepEqual(runs(trigger, '2027-01-01T00:00Z', 3), [
      '2027-02-28 00:00 +00:00',
      '2028-02-29 00:00 +00:00',
      '2029-02-28 00:00 +00:00',
    ])
  })
  it('count by the wall clock of their zone, not by that of UTC', () => {
    const monthly: TimedTrigger = { on: 'calendar', every: 'monthly', at: 30, timeZone: 'Pacific/Auckland' }
    assert.deepEqual(runs(monthly, '2026-11-30T11:29Z', 2), ['2026-12-01 00:30 +13:00', '2027-01-01 00:30 +13:00'])
    assert.deepEqual(runs(monthly, '2026-11-30T11:30Z', 1), ['2027-01-01 00:30 +13:00'])
  })
})

describe('a cron schedule', () => {
  const cron = (expression: string, timeZone?: string): TimedTrigger => ({ on: 'cron', expression, timeZone })
  it('with fixed hours runs once on the days on which the clock changes, each of several too', () => {
    assert.deepEqual(runs(cron('30 2 * * *', 'Europe/Berlin'), '2026-03-28T12:00Z', 2), [
      '2026-03-29 03:00 +02:00',
      '2026-03-30 02:30 +02:00',
    ])
    assert.deepEqual(runs(cron('30 2,14 * * *', 'Europe/Berlin'), '2026-10-24T23:00Z', 3), [
      '2026-10-25 02:30 +02:00',
      '2026-10-25 14:30 +01:00',
      '2026-10-26 02:30 +01:00',
    ])
  })
  it('runs on a day that ends before its time, in the last minute of it', () => {
    assert.deepEqual(runs(cron('30 23 * * *', 'America/Nuuk'), '2026-03-28T12:00Z', 2), [
      '2026-03-28 22:59 -02:00',
      '2026-03-29 23:30 -01:00',
    ])
    const seconds = runs(cron('30 59 22,23 * * *', 'America/Nuuk'), '2026-03-28T12:00Z', 3)
    assert.deepEqual(seconds, ['2026-03-28 22:59 -02:00', '2026-03-28 22:59 -02:00', '2026-03-29 22:59 -01:00'])
  })
  it('with steps of hours or minutes loses and doubles nothing on those days', () => {
    assert.deepEqual(runs(cron('0 */6 * * *', 'Africa/Cairo'), '2026-04-23T18:00Z', 3), [
      '2026-04-24 01:00 +03:00',
      '2026-04-24 06:00 +03:00',
      '2026-04-24 12:00 +03:00',
    ])
    assert.deepEqual(runs(cron('*/30 2 * * *', 'Europe/Berlin'), '2026-03-28T12:00Z', 2), [
      '2026-03-29 03:00 +02:00',
      '2026-03-30 02:00 +02:00',
    ])
    assert.deepEqual(runs(cron('*/30 2 * * *', 'Europe/Berlin'), '2026-10-24T12:00Z', 3), [
      '2026-10-25 02:00 +02:00',
      '2026-10-25 02:30 +02:00',
      '2026-10-26 02:00 +01:00',
    ])
  })
  it('is none if it is a moment', () => {
    assert.throws(() => nextRun(cron('2026-12-24T18:00:00'), 0), /five or six fields/)
  })
  it('of every hour runs in each real hour of those days', () => {
    assert.deepEqual(runs(cron('0 * * * *', 'Europe/Berlin'), '2026-10-24T23:30Z', 3), [
      '2026-10-25 02:00 +02:00',
      '2026-10-25 02:00 +01:00',
      '2026-10-25 03:00 +01:00',
    ])
    assert.deepEqual(runs(cron('0 * * * *', 'Europe/Berlin'), '2026-03-28T23:30Z', 3), [
      '2026-03-29 01:00 +01:00',
      '2026-03-29 03:00 +02:00',
      '2026-03-29 04:00 +02:00',
    ])
  })
  it('knows leap days, months without a 31st, seconds and nicknames', () => {
    assert.deepEqual(runs(cron('0 0 29 2 *'), '2026-01-01T00:00Z', 2), [
      '2028-02-29 00:00 +00:00',
      '2032-02-29 00:00 +00:00',
    ])
    assert.deepEqual(runs(cron('0 0 31 * *'), '2026-03-31T12:00Z', 2), [
      '2026-05-31 00:00 +00:00',
      '2026-07-31 00:00 +00:00',
    ])
    assert.equal(nextRun(cron('30 * * * * *'), 30_000), 90_000)
    assert.equal(nextRun(cron('@hourly'), 1), 3_600_000)
  })
  it('goes on from any millisecond without missing or repeating a run', () => {
    for (const after of [0, 1, 499, 500, 999]) assert.equal(nextRun(cron('* * * * * *'), after), 1000)
    assert.equal(nextRun(cron('* * * * * *'), 1000), 2000)
    assert.equal(nextRun(cron('* * * * *'), 59_999), 60_000)
  })
  it('may never come', () => assert.equal(nextRun(cron('0 0 30 2 *'), 0), undefined))
})

describe('wall clocks', () => {
  it('show moments, and moments are found from what they show', () => {
    const noon = Date.parse('2026-07-01T12:00Z')
    for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Chatham', 'Pacific/Apia'])
      assert.deepEqual(momentOf(wallClock(noon, zone), zone), { shown: noon }, zone)
  })
  it('exist only in zones that do', () => {
    assert.ok(isTimeZone('Europe/Berlin'))
    assert.ok(!isTimeZone('Europe/Atlantis'))
    assert.ok(!isTimeZone(''))
  })
})
