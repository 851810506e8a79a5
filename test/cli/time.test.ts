import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { formatFullTime, formatTime, formatTimeWord } from '../../src/cli/format/time.ts'
import { parseTime } from '../../src/cli/time.ts'
import { hasCode } from '../../src/errors.ts'

const now = Date.parse('2026-11-21T10:30:15.500Z')
let zone: string | undefined

before(() => {
  zone = process.env['TZ']
  process.env['TZ'] = 'Europe/Berlin'
})

after(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

const understood: readonly (readonly [text: string, utc: string])[] = [
  ['2026-01-31T14:00:00Z', '2026-01-31T14:00:00.000Z'],
  ['2026-01-31T14:00:00.25+02:00', '2026-01-31T12:00:00.250Z'],
  ['2026-01-31T14:00-0530', '2026-01-31T19:30:00.000Z'],
  ['2026-01-31 14:00:00.125 +01:00', '2026-01-31T13:00:00.125Z'],
  ['2026-01-31 14:00', '2026-01-31T13:00:00.000Z'],
  ['2026-07-31 14:00', '2026-07-31T12:00:00.000Z'],
  ['2026-01-31', '2026-01-30T23:00:00.000Z'],
  ['1769868000', '2026-01-31T14:00:00.000Z'],
  ['1769868000.5', '2026-01-31T14:00:00.500Z'],
  ['1769868000123', '2026-01-31T14:00:00.123Z'],
  ['now', '2026-11-21T10:30:15.500Z'],
  ['-2h', '2026-11-21T08:30:15.500Z'],
  ['-1h30m', '2026-11-21T09:00:15.500Z'],
  ['-7d', '2026-11-14T10:30:15.500Z'],
  ['2 hours ago', '2026-11-21T08:30:15.500Z'],
  ['3 days ago', '2026-11-18T10:30:15.500Z'],
  ['yesterday 14:00', '2026-11-20T13:00:00.000Z'],
  ['yesterday', '2026-11-19T23:00:00.000Z'],
  ['today 9am', '2026-11-21T08:00:00.000Z'],
  ['Nov 3 2026 08:15', '2026-11-03T07:15:00.000Z'],
  // It is a Saturday, 11:30 in Berlin. Only what was can be restored.
  ['tuesday 14:00', '2026-11-17T13:00:00.000Z'],
  ['on sunday at 2pm', '2026-11-15T13:00:00.000Z'],
  ['saturday 08:00', '2026-11-21T07:00:00.000Z'],
  ['saturday 14:00', '2026-11-14T13:00:00.000Z'],
  ['30 november 08:15', '2025-11-30T07:15:00.000Z'],
  ['2026-01-31 14:00:00.125 +05:45 (Asia/Kathmandu)', '2026-01-31T08:15:00.125Z'],
  ['yesterday noon', '2026-11-20T11:00:00.000Z'],
  ['yesterday morning 9:15', '2026-11-20T08:15:00.000Z'],
  // What says that it is yet to come is understood as it was said.
  ['next tuesday', '2026-11-23T23:00:00.000Z'],
  ['tomorrow 9am', '2026-11-22T08:00:00.000Z'],
]

for (const [text, utc] of understood) {
  it(`understands "${text}"`, async () => {
    assert.equal(new Date(await parseTime(text, now)).toISOString(), utc)
  })
}

const refused = [
  '',
  'banana',
  '2026-02-30',
  '2026-13-01',
  '2026-01-31T25:00',
  '2026-01-31T14:60',
  '-2',
  '12',
  '3 bananas ago',
  'from 2pm to 3pm',
  'yesterday and today',
  '--latest',
  '12/13/2026',
  // No moment: the day's beginning would be taken for it.
  'this morning',
  'yesterday evening',
  'friday afternoon',
  'last night',
  'tonight',
  // A zone without its offset must not be taken for the local one.
  '2026-01-31 14:00 (Asia/Kathmandu)',
  '2026-01-31 (UTC)',
]

for (const text of refused) {
  it(`refuses "${text}", with examples`, async () => {
    await assert.rejects(parseTime(text, now), (error) => {
      assert.ok(hasCode(error, 'USAGE'))
      assert.match(error.hint ?? '', /2026-01-31 14:00.*2 hours ago/)
      return true
    })
  })
}

describe('a time that daylight saving skips', () => {
  for (const [zone, text, utc] of [
    ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
    ['America/Nuuk', '2026-03-28 23:30', '2026-03-29T01:30:00.000Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
  ] as const)
    it(`is as long after the change: ${text} in ${zone}`, async () => {
      const before = process.env['TZ']
      process.env['TZ'] = zone
      try {
        assert.equal(new Date(await parseTime(text, now)).toISOString(), utc)
      } finally {
        process.env['TZ'] = before
      }
    })
})

describe('a time that is shown', () => {
  for (const time of [now, Date.parse('2026-07-01T00:00:00.001Z'), 0]) {
    it(`can be given back: ${formatTime(time)}`, async () => {
      assert.equal(await parseTime(formatTime(time), now), time)
      assert.equal(await parseTime(formatFullTime(time), now), time)
      assert.equal(await parseTime(formatTimeWord(time), now), time)
    })
  }

  it('is local, to the millisecond, with offset and zone', () => {
    assert.equal(formatFullTime(now), '2026-11-21 11:30:15.500 +01:00 (Europe/Berlin)')
  })
})
