import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordedOperation } from '../../src/agent/journal/recorded-operation.ts'
import { parseScheduleSpec } from '../../src/agent/schedule/parse-schedule.ts'
import type { ScheduleStatus } from '../../src/agent/schedule/schedule-status.ts'
import { byHandOf, lastRun } from '../../src/cli/schedule/last-run.ts'

const schedule = parseScheduleSpec({ id: 'trial', type: 'drill', every: 'daily' })

function status(known: Partial<ScheduleStatus> = {}): ScheduleStatus {
  return {
    database: 'app',
    schedule,
    state: 'waiting',
    due: undefined,
    since: { commits: 0, bytes: 0 },
    lastDue: undefined,
    lastStarted: undefined,
    lastFinished: undefined,
    outcome: undefined,
    ...known,
  }
}

function operation(known: Partial<RecordedOperation>): RecordedOperation {
  return {
    id: '1',
    kind: 'drill',
    database: 'app',
    repository: 'memory:',
    trigger: 'manual',
    schedule: 'trial',
    startedAt: 1000,
    endedAt: 2000,
    outcome: 'failed',
    rebuilt: false,
    ...known,
  }
}

describe('the last run of a schedule', () => {
  it('is none where nothing is known', () => {
    assert.deepEqual(lastRun(status(), true, byHandOf([])), {
      startedAt: undefined,
      endedAt: undefined,
      outcome: undefined,
    })
  })

  it('is told by the history if that knows of it or of a later one, with its outcome as it was', () => {
    const remembered = status({ lastStarted: 1000, lastFinished: 2001, outcome: 'succeeded' })
    for (const outcome of ['succeeded', 'warning', 'failed', 'inconclusive', 'interrupted', 'running'] as const)
      for (const startedAt of [1000, 1003, 90_000])
        assert.equal(lastRun(remembered, true, byHandOf([operation({ startedAt, outcome })])).outcome, outcome)
  })

  it('is told by the agent if it is later than what the history knows of, also when a hook skipped it', () => {
    for (const outcome of ['skipped', 'inconclusive', 'warning'] as const) {
      const remembered = status({ lastStarted: 1001, lastFinished: 1002, outcome })
      assert.deepEqual(lastRun(remembered, true, byHandOf([operation({})])), {
        startedAt: 1001,
        endedAt: 1002,
        outcome,
      })
    }
  })

  it('that has not ended runs, or was interrupted if there is no agent', () => {
    for (const outcome of ['unfinished', 'asked'] as const) {
      const remembered = status({ lastStarted: 1, outcome })
      assert.equal(lastRun(remembered, true, byHandOf([])).outcome, 'running')
      assert.equal(lastRun(remembered, false, byHandOf([])).outcome, 'interrupted')
    }
  })

  it('is the newest of several, and of its own database or mirror', () => {
    const all = [
      operation({ outcome: 'succeeded' }),
      operation({ outcome: 'warning' }),
      operation({ database: 'other', outcome: 'failed' }),
      operation({ schedule: 'another', outcome: 'failed' }),
      operation({ database: undefined, kind: 'mirror', type: 'file:///nas', outcome: 'inconclusive' }),
    ]
    const byHand = byHandOf(all)
    assert.equal(lastRun(status(), false, byHand).outcome, 'warning')
    assert.equal(lastRun(status({ database: 'file:///nas' }), false, byHand).outcome, 'inconclusive')
  })
})
