import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { toLsn } from '../../src/history/lsn.ts'
import { type GapRecord, gapReasons, restorableWindows } from '../../src/history/windows.ts'
import { isFollowed, naiveReachable } from './support/naive.ts'
import { anySegments, segment, timeOf } from './support/segments.ts'

const gapRecord = (from: number, to: number, reason: string): GapRecord => ({
  fromLsn: toLsn(from),
  toLsn: toLsn(to),
  fromTime: timeOf(from),
  toTime: timeOf(to),
  reason,
})
const window = (kind: 'continuous' | 'point', from: number, to: number) => ({
  kind,
  fromLsn: from,
  toLsn: to,
  fromTime: timeOf(from),
  toTime: timeOf(to),
})
const gap = (from: number, to: number, reason: string) => ({ ...gapRecord(from, to, reason) })

suite('restorable windows', () => {
  test('scheduled backups are single points, with gaps between them', () => {
    const { windows, gaps } = restorableWindows([segment('base', 0, 1), segment('delta', 1, 2), segment('base', 0, 3)])
    assert.deepEqual(windows, [window('point', 1, 1), window('point', 2, 2), window('point', 3, 3)])
    assert.deepEqual(gaps, [gap(1, 2, gapReasons.notCaptured), gap(2, 3, gapReasons.notCaptured)])
  })

  test('a log makes a window from the state that it starts at, and logs that meet make one', () => {
    const { windows, gaps } = restorableWindows([segment('base', 0, 3), segment('log', 3, 5), segment('log', 5, 9)])
    assert.deepEqual(windows, [window('continuous', 3, 9)])
    assert.deepEqual(gaps, [])
  })

  test('a healing delta between two logs is a gap, with the recorded reason', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 5), segment('delta', 5, 6), segment('log', 6, 9)]
    const { windows, gaps } = restorableWindows(segments, [
      gapRecord(5, 6, 'the log was reset while the agent was away'),
    ])
    assert.deepEqual(windows, [window('continuous', 3, 5), window('continuous', 6, 9)])
    assert.deepEqual(gaps, [gap(5, 6, 'the log was reset while the agent was away')])
  })

  test('a log merged over a recorded gap does not close it', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 9)]
    const { windows, gaps } = restorableWindows(segments, [gapRecord(5, 6, 'power loss')])
    assert.deepEqual(windows, [window('continuous', 3, 5), window('continuous', 6, 9)])
    assert.deepEqual(gaps, [gap(5, 6, 'power loss')])
  })

  test('several recorded gaps between two windows are all named; states that are gone have a reason of their own', () => {
    const segments = [segment('base', 0, 3), segment('base', 0, 9), segment('base', 0, 12)]
    const { gaps } = restorableWindows(segments, [gapRecord(3, 4, 'a'), gapRecord(6, 7, 'b'), gapRecord(7, 8, 'a')])
    assert.deepEqual(gaps, [gap(3, 9, `a; b; ${gapReasons.notKept}`), gap(9, 12, gapReasons.notKept)])
  })

  test('what is missing beside a recorded gap is not laid at its door', () => {
    const [base, lost, healed, log] = [
      segment('base', 0, 3),
      segment('log', 3, 5),
      segment('delta', 5, 6),
      segment('log', 6, 9),
    ]
    const ends = segment('base', 0, 12)
    const record = gapRecord(5, 6, 'the log was reset')
    const rest = gap(9, 12, gapReasons.notKept)
    assert.deepEqual(restorableWindows([base, lost, healed, log, ends], [record]).gaps, [
      gap(5, 6, 'the log was reset'),
      rest,
    ])
    assert.deepEqual(restorableWindows([base, healed, log, ends], [record]).gaps, [
      gap(3, 12, `the log was reset; ${gapReasons.notKept}`),
    ])
    const wholly = [gapRecord(5, 12, 'b'), gapRecord(3, 6, 'a')]
    assert.deepEqual(restorableWindows([base, ends], wholly).gaps, [gap(3, 12, 'b; a')])
  })

  test('what cannot be reached makes no window', () => {
    assert.deepEqual(restorableWindows([segment('log', 3, 9), segment('delta', 1, 2)]), { windows: [], gaps: [] })
  })

  test('a log from the empty state begins with its first commit', () => {
    assert.deepEqual(restorableWindows([segment('log', 0, 4)]).windows, [window('continuous', 1, 4)])
  })

  test('a log whose tail is void ends at the takeover; its end time is never later than known', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 9), segment('base', 0, 7, { epoch: 2 })]
    const clipped = { ...window('continuous', 3, 6), toTime: timeOf(4) }
    assert.deepEqual(restorableWindows(segments).windows, [clipped, window('point', 7, 7)])
  })

  test('they are those of the model, for any segments and recorded gaps', () => {
    const last = 12
    const gaps = fc.uniqueArray(fc.integer({ min: 1, max: last - 1 }), { maxLength: 3 })
    fc.assert(
      fc.property(anySegments(last, 14), gaps, (segments, lost) => {
        const reached = naiveReachable(segments)
        const expected: ReturnType<typeof window>[] = []
        for (let lsn = 1; lsn <= last; lsn++) {
          if (!reached.has(lsn)) continue
          const from = lsn
          while (isFollowed(segments, lsn) && !lost.includes(lsn)) lsn++
          expected.push(window(from === lsn ? 'point' : 'continuous', from, lsn))
        }
        const result = restorableWindows(
          segments,
          lost.map((lsn) => gapRecord(lsn, lsn + 1, `${lsn}`)),
        )
        assert.deepEqual(result.windows, expected)
        assert.equal(result.gaps.length, Math.max(0, expected.length - 1))
        for (const [i, { fromLsn, toLsn: to }] of result.gaps.entries()) {
          assert.deepEqual([fromLsn, to], [expected[i]?.toLsn, expected[i + 1]?.fromLsn])
        }
      }),
      { numRuns: 300 },
    )
  })
})
