import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'

const everyHour = Array.from({ length: 24 }, (_, hour) => hour).join(',')

/** Runs on the day in Berlin on which the clock goes back from 03:00 to 02:00. */
function runsOfLongDay(expression: string): number {
  const end = Date.parse('2026-10-25T23:00Z')
  let runs = 0
  let at: number | undefined = Date.parse('2026-10-24T22:00Z') - 1
  for (;;) {
    at = nextRun({ on: 'cron', expression, timeZone: 'Europe/Berlin' }, at)
    if (at === undefined || at >= end) return runs
    runs += 1
  }
}

describe('a cron expression', () => {
  for (const hours of ['*', '?', '*/1', '0-23', '0-23/1', everyHour, '0-11,12-23', '12-23,0-13', '0-22,23'])
    it(`with the hours ${hours} is due in each of the 25 hours of a day`, () => {
      assert.equal(runsOfLongDay(`0 ${hours} * * *`), 25)
      assert.equal(runsOfLongDay(`30 0 ${hours} * * *`), 25)
    })

  for (const [hours, runs] of [
    ['0-22', 23],
    ['*/2', 12],
    ['1-23', 23],
    ['2', 1],
    ['0-1,3-23', 23],
  ] as const)
    it(`with the hours ${hours} is due at each of them once`, () =>
      assert.equal(runsOfLongDay(`0 ${hours} * * *`), runs))

  it('by a nickname is due each hour, or once', () => {
    assert.deepEqual(['@hourly', '@daily', '@midnight'].map(runsOfLongDay), [25, 1, 1])
  })
})
