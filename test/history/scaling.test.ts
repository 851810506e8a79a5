import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { planDeletion } from '../../src/history/dependents.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { planMaintenance } from '../../src/history/plan-maintenance.ts'
import { isReachable, latestPoint, reachableLsns } from '../../src/history/reachable.ts'
import { resolveTime } from '../../src/history/resolve-time.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { restorableWindows } from '../../src/history/windows.ts'
import { segment, timeOf } from './support/segments.ts'

/** Counts how often a segment's start is looked at: what an algorithm does for each pair of segments shows here. */
function counting(segments: readonly SegmentInfo[]): { segments: SegmentInfo[]; looks: () => number } {
  let count = 0
  const counted = segments.map((s) => ({
    ...s,
    get from() {
      count++
      return s.from
    },
  }))
  return { segments: counted, looks: () => count }
}

const shapes: Record<string, (n: number) => SegmentInfo[]> = {
  'one long chain of deltas': (n) => [segment('base', 0, 1), ...run(n, (i) => segment('delta', i + 1, i + 2))],
  'one long chain of logs': (n) => [segment('base', 0, 1), ...run(n, (i) => segment('log', 10 * i + 1, 10 * i + 11))],
  'logs nested in one another': (n) => [
    segment('log', 0, n),
    ...run(n, (i) => segment('log', i, 2 * n - i, { bytes: i })),
  ],
  'a base at every state': (n) => run(n, (i) => segment('base', 0, i + 1)),
  'logs at several levels of compaction': (n) =>
    [1, 10, 100, 1000].flatMap((size) =>
      run(Math.ceil(n / 1.111 / size), (i) => segment('log', i * size, (i + 1) * size, { bytes: size })),
    ),
}

function run(length: number, make: (i: number) => SegmentInfo): SegmentInfo[] {
  return Array.from({ length }, (_, i) => make(i))
}

suite('many segments', () => {
  const n = 10_000

  for (const [shape, make] of Object.entries(shapes)) {
    test(`${n} as ${shape}: the work grows about as their number does`, () => {
      const looksFor = (size: number) => {
        const { segments, looks } = counting(make(size))
        const latest = latestPoint(segments)
        assert.ok(latest)
        planRestore(segments, latest.lsn)
        reachableLsns(segments)
        restorableWindows(segments)
        resolveTime(segments, latest.time - 1)
        planDeletion(segments, [{ id: 'a', lsn: latest.lsn }], { id: 'a', lsn: latest.lsn })
        return looks()
      }
      // Twice the segments may cost twice the looks, and a logarithm more; four times would be one for each pair.
      assert.ok(looksFor(n) < 2.6 * looksFor(n / 2))
    })
  }

  for (const [shape, make] of Object.entries(shapes)) {
    test(`${n / 5} as ${shape}: so does the work of planning their upkeep`, () => {
      const looksFor = (size: number) => {
        const { segments, looks } = counting(make(size))
        const latest = latestPoint(segments)?.lsn ?? 0
        const days = Array.from({ length: 30 }, (_, i) => toLsn(Math.max(1, latest - Math.floor((i * latest) / 60))))
        const lsns = days.filter((lsn) => isReachable(reachableLsns(segments), lsn))
        planMaintenance(segments, { lsns, ranges: [{ first: toLsn(latest), last: toLsn(latest) }] })
        return looks()
      }
      assert.ok(looksFor(n / 5) < 2.6 * looksFor(n / 10))
    })
  }

  test('a chain as long as it must be, and no longer', () => {
    assert.equal(planRestore(shapes['one long chain of deltas']?.(n) ?? [], toLsn(n + 1)).steps.length, n + 1)
    const plan = planRestore(shapes['logs at several levels of compaction']?.(n) ?? [], toLsn(8888), {
      requestBytes: 5,
    })
    const ends = plan.steps.map(({ upTo }) => upTo)
    const thousands = [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]
    assert.deepEqual(ends, [...thousands, 8100, 8200, 8300, 8400, 8500, 8600, 8700, 8800, 8888])
    assert.equal(plan.cost, 8 * 1005 + 9 * 105)
  })

  test('windows of a long chain of logs are one', () => {
    const { windows } = restorableWindows(shapes['one long chain of logs']?.(n) ?? [])
    assert.equal(windows.length, 1)
    assert.equal(windows[0]?.toTime, timeOf(10 * n + 1))
  })
})
