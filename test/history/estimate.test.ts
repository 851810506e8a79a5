import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { estimateRestore } from '../../src/history/estimate.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { segment } from './support/segments.ts'

suite('estimating a restore', () => {
  const segments = [segment('base', 0, 3, { bytes: 6_000_000 }), segment('log', 3, 1003, { bytes: 2_000_000 })]
  const plan = planRestore(segments, toLsn(503))
  const rates = { fetchBytesPerSecond: 1e6, writeBytesPerSecond: 10e6, requestMs: 50, commitsPerSecond: 1000 }

  test('counts objects, bytes, commits and requests', () => {
    const { durationMs, ...amounts } = estimateRestore(plan, { databaseBytes: 20_000_000 }, rates)
    assert.deepEqual(amounts, {
      segments: 2,
      bytesToFetch: 8_000_000,
      requests: 6,
      commitsToReplay: 500,
      bytesToWrite: 20_000_000,
    })
    assert.equal(durationMs, 6 * 50 + 8000)
  })

  test('takes the slower of fetching and writing, and adds the proof', () => {
    const slow = { ...rates, fetchBytesPerSecond: 100e6, proveBytesPerSecond: 5e6 }
    assert.equal(estimateRestore(plan, { databaseBytes: 20_000_000 }, slow).durationMs, 6 * 50 + 2000 + 500 + 4000)
  })

  test('of nothing is nothing', () => {
    assert.equal(estimateRestore(planRestore([], toLsn(0)), { databaseBytes: 0 }, rates).durationMs, 0)
  })
})
