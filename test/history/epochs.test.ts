import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { foldPages } from '../../src/history/fold-pages.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { isReachable, reachableLsns } from '../../src/history/reachable.ts'
import { resolveTime } from '../../src/history/resolve-time.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { usableSegments, voidSegments } from '../../src/history/usable-segments.ts'
import { anyPageHistory, contents, type PageHistory, stateOf } from './support/page-history.ts'
import { anySegments, segment, timeOf } from './support/segments.ts'

const keys = (segments: readonly SegmentInfo[]) => segments.map(({ key }) => key)
const old = (...[kind, from, to]: Parameters<typeof segment>) => segment(kind, from, to, { epoch: 1 })
const young = (...[kind, from, to]: Parameters<typeof segment>) => segment(kind, from, to, { epoch: 2 })

suite('after a takeover of the lease', () => {
  test('what the former holder still wrote from there on is void', () => {
    const segments = [old('base', 0, 5), old('log', 5, 15), old('log', 15, 20), young('log', 15, 16)]
    assert.deepEqual(keys(voidSegments(segments)), ['15-20-1-log'])
    assert.deepEqual(reachableLsns(segments), [{ first: 5, last: 16 }])
  })

  test('also what does not overlap the new holder’s segments, but hangs on what is void', () => {
    const segments = [old('base', 0, 15), old('log', 15, 20), old('log', 20, 25), young('log', 15, 20)]
    assert.deepEqual(keys(voidSegments(segments)), ['15-20-1-log', '20-25-1-log'])
    assert.equal(isReachable(reachableLsns(segments), toLsn(21)), false)
  })

  test('a log that was begun before counts up to the takeover', () => {
    const segments = [old('base', 0, 5), old('log', 5, 20), young('log', 15, 16)]
    assert.deepEqual(voidSegments(segments), [])
    assert.deepEqual(
      usableSegments(segments).map(({ segment: { key }, upTo }) => `${key}@${upTo}`),
      ['0-5-1-base@5', '5-20-1-log@15', '15-16-2-log@16'],
    )
    const plan = planRestore(segments, toLsn(16))
    assert.deepEqual(
      plan.steps.map(({ segment: { epoch }, upTo }) => [epoch, upTo]),
      [
        [1, 5],
        [1, 15],
        [2, 16],
      ],
    )
  })

  test('a base or delta that ends after the takeover is void, wherever it starts', () => {
    const segments = [old('base', 0, 15), old('base', 0, 16), old('delta', 9, 17), young('delta', 15, 16)]
    assert.deepEqual(keys(voidSegments(segments)), ['0-16-1-base', '9-17-1-delta'])
  })

  test('a full backup of the new holder leaves all former backups valid, though it starts at 0', () => {
    const segments = [
      old('base', 0, 1),
      old('delta', 1, 2),
      old('delta', 2, 3),
      young('base', 0, 4),
      young('delta', 2, 5),
    ]
    assert.deepEqual(voidSegments(segments), [])
    assert.deepEqual(reachableLsns(segments), [{ first: 1, last: 5 }])
  })

  test('each epoch is bounded by all above it', () => {
    const segments = [old('base', 0, 9), segment('delta', 9, 12, { epoch: 2 }), segment('delta', 7, 10, { epoch: 3 })]
    assert.deepEqual(keys(voidSegments(segments)), ['9-12-2-delta'])
  })

  test('a moment in the log of both holders is looked up in the right one', () => {
    const segments = [
      segment('base', 0, 5),
      segment('log', 5, 20, { firstTime: 100, lastTime: 200 }),
      segment('log', 15, 17, { epoch: 2, firstTime: 150, lastTime: 170 }),
    ]
    const at = (time: number) => {
      const found = resolveTime(segments, time)
      return found.kind === 'within-log' ? `epoch ${found.segment.epoch} up to ${found.upTo}` : found.kind
    }
    assert.deepEqual([120, 149, 150, 160, 170, 190].map(at), [
      'epoch 1 up to 15',
      'epoch 1 up to 15',
      'epoch 2 up to 17',
      'epoch 2 up to 17',
      'lsn',
      'unreachable',
    ])
  })

  test('every LSN is the new holder’s story, whatever both wrote', () => {
    const shared = 5
    const extra = 4
    const last = shared + extra
    const forks = anyPageHistory({ minLength: last, maxLength: last }).chain((zombie) =>
      anyPageHistory({ minLength: extra, maxLength: extra }, zombie.states[shared] ?? []).map((successor) => ({
        zombie,
        truth: {
          states: [...zombie.states.slice(0, shared), ...successor.states],
          commits: [...zombie.commits.slice(0, shared), ...successor.commits],
        } satisfies PageHistory,
      })),
    )
    let applied = 0
    fc.assert(
      fc.property(forks, anySegments(last, 10), anySegments(last, 10), (fork, first, second) => {
        // The new holder's first commit is there, and a new holder only writes what ends after the takeover.
        const later = second.filter((s) => s.to > shared && (s.kind !== 'log' || s.from >= shared))
        const successors = [...later, segment('log', shared, shared + 1)].map((s) => ({
          ...s,
          epoch: 2,
          key: `${s.key}-2`,
        }))
        const segments = [...first, ...successors]
        for (let lsn = 1; lsn <= last; lsn++) {
          if (!isReachable(reachableLsns(segments), toLsn(lsn))) continue
          const steps = planRestore(segments, toLsn(lsn)).steps.flatMap(({ segment: s, upTo }) =>
            contents(s.epoch === 1 ? fork.zombie : fork.truth, s, upTo),
          )
          assert.deepEqual(stateOf(foldPages(steps, { startPageCount: 0 })), fork.truth.states[lsn])
          if (lsn > shared) applied++
        }
      }),
      { numRuns: 300 },
    )
    assert.ok(applied > 100, 'the random segments lead beyond the takeover')
  })

  test('times of segments do not decide, only epochs do', () => {
    const segments = [
      old('base', 0, 5),
      segment('delta', 5, 6, { epoch: 1, lastTime: timeOf(99) }),
      young('delta', 5, 6),
    ]
    assert.equal(planRestore(segments, toLsn(6)).steps.at(-1)?.segment.epoch, 2)
  })
})
