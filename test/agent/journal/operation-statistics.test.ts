import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { operationOutcomes } from '../../../src/agent/journal/operation.ts'
import { operationStatistics } from '../../../src/agent/journal/operation-statistics.ts'
import type { RecordedOperation } from '../../../src/agent/journal/recorded-operation.ts'
import { start } from './support/journals.ts'

const noon = Date.parse('2026-11-20T12:00:00.000Z')
const day = 24 * 60 * 60_000

function ran(startedAt: number, durationMs: number, more: Partial<RecordedOperation> = {}): RecordedOperation {
  return {
    ...start,
    id: `${startedAt}`,
    startedAt,
    endedAt: startedAt + durationMs,
    outcome: 'succeeded',
    rebuilt: false,
    ...more,
  }
}

describe('statistics of operations', () => {
  it('count by kind how they went and how long they took, in all and by day', () => {
    const operations = [
      ran(noon, 100),
      ran(noon + 1, 300, { outcome: 'warning' }),
      ran(noon + day, 200, { outcome: 'failed' }),
      ran(noon + day + 1, 9999, { outcome: 'interrupted' }),
      ran(noon + day + 2, 0, { outcome: 'running', endedAt: undefined }),
      ran(noon, 50, { kind: 'verify', outcome: 'inconclusive' }),
    ]
    const [backups, verifications] = operationStatistics(operations)
    assert.deepEqual(backups, {
      kind: 'backup',
      runs: 4,
      outcomes: { succeeded: 1, warning: 1, failed: 1, interrupted: 1, inconclusive: 0 },
      successRate: 0.5,
      durationMs: { median: 200, p95: 300, max: 300 },
      days: [
        { day: '2026-11-20', runs: 2, failed: 0, medianMs: 100 },
        { day: '2026-11-21', runs: 2, failed: 1, medianMs: 200 },
      ],
    })
    assert.deepEqual([verifications?.kind, verifications?.successRate], ['verify', 0])
  })

  it('of none are none', () => {
    assert.deepEqual(operationStatistics([]), [])
    assert.deepEqual(operationStatistics([ran(noon, 0, { outcome: 'running', endedAt: undefined })]), [])
  })

  it('add up, and are in order', () => {
    const any = fc.record({
      startedAt: fc.integer({ min: noon, max: noon + 9 * day }),
      duration: fc.nat(10_000),
      outcome: fc.constantFrom(...operationOutcomes),
    })
    fc.assert(
      fc.property(fc.array(any, { minLength: 1 }), (list) => {
        const [all] = operationStatistics(
          list.map(({ startedAt, duration, outcome }) => ran(startedAt, duration, { outcome })),
        )
        assert.ok(all)
        const { median, p95, max } = all.durationMs
        assert.ok(median <= p95 && p95 <= max)
        assert.equal(
          all.days.reduce((sum, { runs }) => sum + runs, 0),
          list.length,
        )
        assert.equal(
          Object.values(all.outcomes).reduce((sum, count) => sum + count, 0),
          all.runs,
        )
        assert.deepEqual(
          all.days.map((each) => each.day),
          all.days.map((each) => each.day).toSorted(),
        )
      }),
    )
  })
})
