import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkRuns } from '../../../src/agent/expectations/check-runs.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import type { ScheduleStatus } from '../../../src/agent/schedule/schedule-status.ts'

const hour = 3_600_000
const now = Date.parse('2026-03-01T00:00:00Z')
const status = (part: Partial<ScheduleStatus>): ScheduleStatus => ({
  database: 'app',
  schedule: parseScheduleSpec({ type: 'verify', every: '1d' }),
  state: 'waiting',
  due: now + hour,
  since: { commits: 0, bytes: 0 },
  lastDue: undefined,
  lastStarted: undefined,
  lastFinished: undefined,
  outcome: undefined,
  ...part,
})

describe('a verification of an agent', () => {
  it('is under way from when it is due until it has ended, for a week at most', () => {
    const isUnderWay = (part: Partial<ScheduleStatus>) => checkRuns([status(part)], now).isUnderWay('app', 'verify')
    assert.ok(!isUnderWay({}))
    assert.ok(!isUnderWay({ due: undefined }))
    assert.ok(isUnderWay({ due: now - 72 * hour }))
    assert.ok(isUnderWay({ state: 'queued', due: now - 72 * hour }))
    assert.ok(isUnderWay({ state: 'running', lastStarted: now - 167 * hour }))
    assert.ok(!isUnderWay({ state: 'running', lastStarted: now - 168 * hour }), 'it hangs')
  })

  it('is not under way where it waits behind a run that hangs, of whatever kind and database', () => {
    const schedule = parseScheduleSpec({ type: 'full', every: '1d' })
    const isUnderWay = (lastStarted: number) => {
      const before = status({ database: 'b', schedule, state: 'running', lastStarted })
      const behind = status({ state: 'queued', due: now - 24 * hour })
      return checkRuns([behind, before], now).isUnderWay('app', 'verify')
    }
    assert.ok(isUnderWay(now - 167 * hour))
    assert.ok(!isUnderWay(now - 168 * hour))
  })

  it('was made when it last ended, however that was, unless it was skipped or called off', () => {
    const madeAt = (...parts: readonly Partial<ScheduleStatus>[]) =>
      checkRuns(parts.map(status), now).madeAt('app', 'verify')
    for (const outcome of ['succeeded', 'warning', 'failed', 'inconclusive'] as const)
      assert.equal(madeAt({ lastFinished: now - hour, outcome }), now - hour, outcome)
    for (const outcome of ['skipped', 'interrupted', 'unfinished', 'asked', undefined] as const)
      assert.equal(madeAt({ lastFinished: now - hour, outcome }), undefined, outcome)
    const two = [now - 2 * hour, now - hour, now - 3 * hour].map((lastFinished) => ({
      lastFinished,
      outcome: 'succeeded' as const,
    }))
    assert.equal(madeAt(...two), now - hour)
  })

  it('is none of another database, and no drill', () => {
    const { madeAt, isUnderWay } = checkRuns([status({ due: now, lastFinished: now, outcome: 'succeeded' })], now)
    assert.deepEqual([madeAt('b', 'verify'), madeAt('app', 'drill')], [undefined, undefined])
    assert.deepEqual([isUnderWay('b', 'verify'), isUnderWay('app', 'drill')], [false, false])
  })
})
