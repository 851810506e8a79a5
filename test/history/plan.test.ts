import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { foldPages } from '../../src/history/fold-pages.ts'
import { toLsn, zeroLsn } from '../../src/history/lsn.ts'
import { type Plan, planRestore, UnreachableError } from '../../src/history/plan.ts'
import { isReachable, latestPoint, reachableLsns } from '../../src/history/reachable.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { allChains, naiveReachable } from './support/naive.ts'
import { anyPageHistory, contents, stateOf } from './support/page-history.ts'
import { anySegments, lsns, segment, timeOf } from './support/segments.ts'

const names = ({ steps }: Plan) => steps.map((step) => `${step.segment.key}@${step.upTo}`)

function attempt(segments: readonly SegmentInfo[], lsn: number, requestBytes = 2): Plan | UnreachableError {
  try {
    return planRestore(segments, toLsn(lsn), { requestBytes })
  } catch (error) {
    assert.ok(error instanceof UnreachableError)
    return error
  }
}

suite('planning a restore', () => {
  test('takes a base and what follows it', () => {
    const segments = [segment('delta', 3, 4), segment('base', 0, 3), segment('delta', 4, 9)]
    const plan = planRestore(segments, toLsn(9), { requestBytes: 10 })
    assert.deepEqual(names(plan), ['0-3-1-base@3', '3-4-1-delta@4', '4-9-1-delta@9'])
    assert.equal(plan.cost, 330)
  })

  test('leaves a log at the wanted commit', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 20)]
    assert.deepEqual(names(planRestore(segments, toLsn(11))), ['0-3-1-base@3', '3-20-1-log@11'])
  })

  test('leaves a log early to go on with a segment that starts there', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 20), segment('delta', 7, 50)]
    assert.deepEqual(names(planRestore(segments, toLsn(50))), ['0-3-1-base@3', '3-20-1-log@7', '7-50-1-delta@50'])
  })

  test('enters a log at its start only', () => {
    assert.throws(() => planRestore([segment('base', 0, 5), segment('log', 3, 20)], toLsn(10)), UnreachableError)
  })

  test('prefers few bytes, counting each request', () => {
    const chain = Array.from({ length: 5 }, (_, i) => segment('delta', i, i + 1, { bytes: 10 }))
    const base = segment('base', 0, 5, { bytes: 100 })
    assert.equal(planRestore([...chain, base], toLsn(5), { requestBytes: 0 }).steps.length, 5)
    assert.equal(planRestore([...chain, base], toLsn(5), { requestBytes: 20 }).steps.length, 1)
  })

  test('among equally cheap chains takes the one of fewer steps, then the newer, whatever the order of the list', () => {
    const two = [segment('base', 0, 1, { bytes: 40 }), segment('delta', 1, 2, { bytes: 60 })]
    const one = segment('base', 0, 2, { bytes: 100, key: 'a' })
    assert.deepEqual(names(planRestore([...two, one], toLsn(2), { requestBytes: 0 })), ['a@2'])
    const newer = segment('base', 0, 2, { lastTime: timeOf(2) + 1, key: '0' })
    const sameAge = segment('base', 0, 2, { key: 'b' })
    assert.deepEqual(names(planRestore([newer, one, sameAge], toLsn(2))), ['0@2'])
    assert.deepEqual(names(planRestore([sameAge, one], toLsn(2))), ['b@2'])
    assert.deepEqual(names(planRestore([one, sameAge], toLsn(2))), ['b@2'])
  })

  test('to LSN 0 needs nothing', () => {
    assert.deepEqual(planRestore([], zeroLsn), { target: 0, steps: [], cost: 0 })
  })

  test('what cannot be reached is refused, naming the nearest on both sides', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 5), segment('base', 0, 9), segment('log', 9, 12)]
    assert.throws(() => planRestore(segments, toLsn(7)), {
      name: 'UnreachableError',
      target: 7,
      nearestBefore: { lsn: 5, time: timeOf(5) },
      nearestAfter: { lsn: 9, time: timeOf(9) },
    })
    assert.throws(() => planRestore(segments, toLsn(13)), {
      nearestBefore: { lsn: 12, time: timeOf(12) },
      nearestAfter: undefined,
    })
    assert.throws(() => planRestore([], toLsn(1)), { nearestBefore: undefined, nearestAfter: undefined })
  })

  test('what is no interval is never used', () => {
    const odd = [segment('delta', 5, 5), segment('delta', 5, 2), segment('base', 1, 7)]
    assert.deepEqual(reachableLsns([segment('base', 0, 5), ...odd]), [{ first: 5, last: 5 }])
  })
})

suite('planning against the model', () => {
  const last = 9

  test('finds a chain exactly where there is one, and it is the cheapest and shortest', () => {
    fc.assert(
      fc.property(anySegments(last, 9), fc.nat(3), (segments, requestBytes) => {
        const reached = naiveReachable(segments)
        for (let lsn = 1; lsn <= last; lsn++) {
          const result = attempt(segments, lsn, requestBytes)
          const costs = allChains(segments, lsn).map((chain) => ({
            cost: chain.reduce((sum, { bytes }) => sum + bytes + requestBytes, 0),
            steps: chain.length,
          }))
          assert.equal(result instanceof UnreachableError, !reached.has(lsn))
          if (result instanceof UnreachableError) {
            const others = [...reached].filter((other) => other !== 0).sort((a, b) => a - b)
            assert.equal(
              result.nearestBefore?.lsn,
              others.findLast((other) => other < lsn),
            )
            assert.equal(
              result.nearestAfter?.lsn,
              others.find((other) => other > lsn),
            )
            continue
          }
          const cheapest = Math.min(...costs.map(({ cost }) => cost))
          const shortest = Math.min(...costs.filter(({ cost }) => cost === cheapest).map(({ steps }) => steps))
          assert.equal(result.cost, cheapest)
          assert.equal(result.steps.length, shortest)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the order of the list changes nothing', () => {
    fc.assert(
      fc.property(anySegments(last, 12), fc.infiniteStream(fc.nat()), (segments, keys) => {
        const shuffled = segments.map((s) => ({ s, by: keys.next().value ?? 0 })).sort((a, b) => a.by - b.by)
        for (let lsn = 1; lsn <= last; lsn++) {
          const results = [segments, shuffled.map(({ s }) => s)].map((list) => attempt(list, lsn))
          const [a, b] = results.map((result) => (result instanceof UnreachableError ? result.message : names(result)))
          assert.deepEqual(a, b)
        }
      }),
    )
  })

  test('applying the plan gives the state that replaying every commit gives', () => {
    const history = anyPageHistory({ minLength: last, maxLength: last })
    let applied = 0
    fc.assert(
      fc.property(history, anySegments(last, 14), (pages, segments) => {
        for (let lsn = 1; lsn <= last; lsn++) {
          const plan = attempt(segments, lsn)
          if (plan instanceof UnreachableError) continue
          const steps = plan.steps.flatMap((step) => contents(pages, step.segment, step.upTo))
          assert.deepEqual(stateOf(foldPages(steps, { startPageCount: 0 })), pages.states[lsn])
          applied++
        }
      }),
      { numRuns: 300 },
    )
    assert.ok(applied > 100, 'the random segments lead somewhere')
  })
})

suite('what can be reached', () => {
  test('is told as ranges', () => {
    const segments = [
      segment('base', 0, 3),
      segment('log', 3, 5),
      segment('base', 0, 6),
      segment('base', 0, 9),
      segment('log', 20, 30),
    ]
    assert.deepEqual(reachableLsns(segments), [
      { first: 3, last: 6 },
      { first: 9, last: 9 },
    ])
    assert.deepEqual(latestPoint(segments), { lsn: 9, time: timeOf(9) })
    assert.equal(latestPoint([]), undefined)
  })

  test('is what the naive search says', () => {
    fc.assert(
      fc.property(anySegments(12, 14), (segments) => {
        const ranges = reachableLsns(segments)
        const reached = naiveReachable(segments)
        for (const lsn of lsns(...Array.from({ length: 14 }, (_, i) => i + 1))) {
          assert.equal(isReachable(ranges, lsn), reached.has(lsn))
        }
        assert.ok(ranges.every(({ first, last }, i) => first <= last && first > (ranges[i - 1]?.last ?? -1) + 1))
      }),
      { numRuns: 300 },
    )
  })
})
