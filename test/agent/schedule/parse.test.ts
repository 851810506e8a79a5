import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { describeSchedule } from '../../../src/agent/schedule/describe-schedule.ts'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'
import { parseScheduleSpec, readScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import type { ScheduleInput, TriggerInput } from '../../../src/agent/schedule/schedule-input.ts'
import { hasCode } from '../../../src/errors.ts'

const full = (when: TriggerInput): ScheduleInput => ({ type: 'full', ...when })
const trigger = (when: TriggerInput) => parseScheduleSpec(full(when)).trigger
const problems = (input: ScheduleInput) =>
  readScheduleSpec(input).problems?.map(({ field, message }) => `${field}: ${message}`)

describe('what people write becomes a schedule', () => {
  const cases: readonly (readonly [when: TriggerInput, words: string, id: string])[] = [
    [{ every: 'hourly' }, 'every hour at :00', 'full-hourly'],
    [{ every: 'Hourly', at: ':30' }, 'every hour at :30', 'full-hourly-327cd9'],
    [{ every: 'daily' }, 'every day at 00:00 UTC', 'full-daily'],
    [{ every: 'daily', at: '2:30', timeZone: 'Europe/Berlin' }, 'every day at 02:30 Europe/Berlin', ''],
    [{ every: 'weekly' }, 'every Sunday at 00:00 UTC', 'full-weekly'],
    [{ every: 'weekly', at: 'Tue 23:59' }, 'every Tuesday at 23:59 UTC', ''],
    [{ every: 'weekly', at: 'friday' }, 'every Friday at 00:00 UTC', ''],
    [{ every: 'monthly', at: '15 02:30' }, 'every month on day 15 at 02:30 UTC', ''],
    [{ every: 'monthly', at: 15 }, 'every month on day 15 at 00:00 UTC', ''],
    [{ every: 'monthly', at: 'last 23:00' }, 'every month on the last day at 23:00 UTC', ''],
    [{ every: 'yearly', at: '02-29 01:00' }, 'every year on 29 February at 01:00 UTC', ''],
    [{ every: '6h' }, 'every 6 h', 'full-every-6h'],
    [{ every: '1h30m' }, 'every 1 h 30 min', 'full-every-90m'],
    [{ cron: '0 * * * *', timeZone: 'Europe/Berlin' }, 'by cron "0 * * * *" Europe/Berlin', ''],
    [{ cron: ' @daily ' }, 'by cron "@daily" UTC', ''],
    [{ afterCommits: 10_000 }, 'after 10,000 commits', 'full-after-10000-commits'],
    [{ afterCommits: '1' }, 'after each commit', 'full-after-1-commits'],
    [{ afterBytes: '100MB' }, 'after 100 MB of changes', 'full-after-100000000-bytes'],
    [{ afterBytes: '64MiB' }, 'after 64 MiB of changes', 'full-after-67108864-bytes'],
    [{ quiet: '10m' }, 'after 10 min without a commit', 'full-quiet-10m'],
  ]
  for (const [when, words, id] of cases)
    it(`${JSON.stringify(when)}: ${words}`, () => {
      const spec = parseScheduleSpec(full(when))
      assert.equal(describeSchedule(spec), `full backup ${words}`)
      if (id !== '') assert.equal(spec.id, id)
      assert.match(spec.id, /^full-[a-z0-9-]+$/)
    })

  it('with a name, delay and tags of its own', () => {
    const spec = parseScheduleSpec({ id: 'nightly', type: 'drill', every: 'daily', jitter: '5m', tags: { by: 'cron' } })
    assert.deepEqual(spec, {
      id: 'nightly',
      action: 'drill',
      trigger: { on: 'calendar', every: 'daily' },
      jitterMs: 300_000,
      tags: { by: 'cron' },
    })
    assert.equal(describeSchedule(spec), 'restore drill every day at 00:00 UTC, up to 5 min later')
  })

  it('under ids that differ when the schedules do', () => {
    const inputs: TriggerInput[] = [
      ...cases.map(([when]) => when),
      { cron: '*/15 * * * *' },
      { cron: '*-15 * * * *' },
      { every: 'daily', at: '02:30' },
      { every: 'daily', at: '02:30', timeZone: 'Europe/Paris' },
      { every: 'monthly', at: '2' },
      { every: 'monthly', at: '00:02' },
    ].filter((when) => problems(full(when)) === undefined)
    const ids = inputs.map((when) => parseScheduleSpec(full(when)).id)
    assert.equal(new Set(ids).size, inputs.length)
  })
})

describe('what is wrong is said with its field', () => {
  const cases: readonly (readonly [input: TriggerInput & { jitter?: string; id?: string }, expected: string[]])[] = [
    [{}, ['every: One of every, cron, afterCommits, afterBytes, quiet must say when.']],
    [
      { every: 'daily', cron: '@daily' },
      ['cron: Only one of every, cron, afterCommits, afterBytes, quiet can say when; "every" is given already.'],
    ],
    [
      { every: 'fortnightly' },
      ['every: Expected hourly, daily, weekly, monthly, yearly, or a duration such as 6h, got "fortnightly".'],
    ],
    [{ every: '6' }, ['every: Expected hourly, daily, weekly, monthly, yearly, or a duration such as 6h, got "6".']],
    [
      { every: '10ms' },
      ['every: Expected hourly, daily, weekly, monthly, yearly, or a duration such as 6h, got "10ms".'],
    ],
    [{ every: 'daily', at: '25:00' }, ['at: Expected "02:30", got "25:00".']],
    [{ every: 'daily', at: 'sunday 02:30' }, ['at: Expected "02:30", got "sunday 02:30".']],
    [{ every: 'hourly', at: '02:30' }, ['at: Expected ":30" for half past each hour, got "02:30".']],
    [{ every: 'hourly', at: 60 }, ['at: Expected ":30" for half past each hour, got "60".']],
    [{ every: 'weekly', at: 'someday 02:30' }, ['at: Expected "02:30" or "sunday 02:30", got "someday 02:30".']],
    [{ every: 'monthly', at: '32' }, ['at: Expected "02:30", "15 02:30" or "last 02:30", got "32".']],
    [{ every: 'monthly', at: '1502:30' }, ['at: Expected "02:30", "15 02:30" or "last 02:30", got "1502:30".']],
    [{ every: 'monthly', at: '1 2 02:30' }, ['at: Expected "02:30", "15 02:30" or "last 02:30", got "1 2 02:30".']],
    [{ every: 'yearly', at: '02-30' }, ['at: Expected "02:30" or "12-31 02:30", got "02-30".']],
    [{ every: 'yearly', at: '13-01' }, ['at: Expected "02:30" or "12-31 02:30", got "13-01".']],
    [{ every: '6h', at: '02:30' }, ['at: "at" goes only with "every": hourly, daily, weekly, monthly, yearly.']],
    [
      { afterCommits: 5, timeZone: 'UTC' },
      ['timeZone: "timeZone" goes only with "cron", and with "every": hourly, daily, weekly, monthly, yearly.'],
    ],
    [
      { every: 'daily', at: 'noon', timeZone: 'Berlin' },
      [
        'at: Expected "02:30", got "noon".',
        'timeZone: Expected the name of a time zone such as Europe/Berlin, got "Berlin".',
      ],
    ],
    [{ cron: '0 0 30 2 *' }, ['cron: The cron expression "0 0 30 2 *" never comes true.']],
    [{ afterCommits: 0 }, ['afterCommits: Expected a whole number from 1 on, got "0".']],
    [{ afterCommits: 1.5 }, ['afterCommits: Expected a whole number from 1 on, got "1.5".']],
    [{ afterBytes: 'lots' }, ['afterBytes: Expected a size such as 100MB, got "lots".']],
    [{ quiet: '10' }, ['quiet: Expected a duration such as 10m, got "10".']],
    [{ every: 'daily', jitter: 'some' }, ['jitter: Expected a duration such as 5m, got "some".']],
    [{ every: 'daily', id: 'a b' }, ['id: Expected letters, digits, ".", "_" and "-", at most 64, got "a b".']],
  ]
  for (const [input, expected] of cases)
    it(expected.join(' '), () => {
      assert.deepEqual(problems({ type: 'full', ...input }), expected)
      assert.throws(
        () => parseScheduleSpec({ type: 'full', ...input }),
        (error) =>
          hasCode(error, 'USAGE') && expected[0]?.endsWith(error.message.replace('This is no schedule: ', '')) === true,
      )
    })

  for (const cron of ['61 * * * *', '* * *', '0 0 0 * * * 2026', '@reboot', 'every day', ''])
    it(`"${cron}" is no cron expression`, () => {
      assert.match(problems(full({ cron }))?.join() ?? '', /^cron: .*is not a cron expression: .+\.$/)
    })
})

it('any text is a schedule that has a next run, or is refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9*,/LW#@-]{1,5}( [0-9*,/LW#@-]{1,5}){0,6}$/),
    fc.constantFrom('daily', 'weekly', 'monthly', 'last 3:00', '99999d', '1000000w', 'sun', '24:00', '0:60', '1e3s'),
  )
  const field = fc.option(text, { nil: undefined })
  const input = fc.record({ every: field, at: field, cron: field, timeZone: field, quiet: field, afterBytes: field })
  fc.assert(
    fc.property(input, (when) => {
      const { value, problems: found } = readScheduleSpec({ type: 'full', ...when })
      if (value === undefined) return assert.ok((found?.length ?? 0) > 0)
      const next = nextRun(value.trigger, 1_800_000_000_000)
      const timed = ['calendar', 'cron', 'interval'].includes(value.trigger.on)
      assert.equal(next !== undefined && next > 1_800_000_000_000, timed)
      assert.ok(describeSchedule(value).length > 0)
    }),
    { numRuns: 3000 },
  )
})

it('hours are those of the zone', () => {
  assert.equal(
    nextRun(trigger({ every: 'daily', at: '02:30', timeZone: 'Europe/Berlin' }), Date.parse('2026-07-01T00:00Z')),
    Date.parse('2026-07-01T00:30Z'),
  )
})
