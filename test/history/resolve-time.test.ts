import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { toLsn } from '../../src/history/lsn.ts'
import {
  commitAt,
  type Resolution,
  type ResolveOptions,
  resolveLsn,
  resolveTime,
} from '../../src/history/resolve-time.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { isFollowed, naiveReachable } from './support/naive.ts'
import { anySegments, segment, timeOf } from './support/segments.ts'

/** In words, with a log's commits looked up by their model times. */
function say(
  resolution: Resolution,
  time: number,
  options: ResolveOptions = {},
  times: (lsn: number) => number = timeOf,
): string {
  switch (resolution.kind) {
    case 'lsn':
      return `${resolution.lsn}`
    case 'within-log': {
      const { from, to } = resolution.segment
      const commits = Array.from({ length: to - from }, (_, i) => toLsn(from + 1 + i)).map((lsn) => ({
        lsn,
        time: times(lsn),
      }))
      return `${commitAt(commits, time, resolution.upTo, options)?.lsn}`
    }
    case 'between':
    case 'unreachable':
      return `between ${resolution.before?.lsn} and ${resolution.after?.lsn}`
  }
}

const at = (segments: readonly SegmentInfo[], time: number, options: ResolveOptions = {}) =>
  say(resolveTime(segments, time, options), time, options)

suite('the state at a moment', () => {
  const backups = [segment('base', 0, 1), segment('delta', 1, 2), segment('delta', 2, 3)]

  test('among scheduled backups is known at their very moments only', () => {
    assert.equal(at(backups, 2000), '2')
    assert.deepEqual(resolveTime(backups, 2001), {
      kind: 'between',
      before: { lsn: 2, time: 2000 },
      after: { lsn: 3, time: 3000 },
    })
  })

  test('before the first and after the last is unreachable, naming that one', () => {
    assert.deepEqual(resolveTime(backups, 999), {
      kind: 'unreachable',
      before: undefined,
      after: { lsn: 1, time: 1000 },
    })
    assert.deepEqual(resolveTime(backups, 3001), {
      kind: 'unreachable',
      before: { lsn: 3, time: 3000 },
      after: undefined,
    })
    assert.deepEqual(resolveTime([], 5), { kind: 'unreachable', before: undefined, after: undefined })
  })

  test('in a followed stretch is the newest commit up to it', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 5), segment('log', 5, 9)]
    assert.deepEqual(
      [3000, 3999, 4000, 4999, 5000, 5999, 6500, 9000].map((time) => at(segments, time)),
      ['3', '3', '4', '4', '5', '5', '6', '9'],
    )
    assert.equal(at(segments, 9001), 'between 9 and undefined')
  })

  test('asks the smallest log that covers it', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 50, { bytes: 999 }), segment('log', 10, 20)]
    const found = resolveTime(segments, 15_500)
    assert.ok(found.kind === 'within-log')
    assert.equal(found.segment.from, 10)
  })

  test('inside a recorded gap is not known, even if a merged log spans it', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 9)]
    const gaps = [{ fromLsn: toLsn(5), toLsn: toLsn(6), fromTime: 5000, toTime: 6000, reason: 'power loss' }]
    assert.deepEqual(
      [5000, 5001, 6000].map((time) => at(segments, time, { gaps })),
      ['5', 'between 5 and 6', '6'],
    )
    assert.equal(at(segments, 5500, { gaps, before: true }), '5')
  })

  test('inside a pause is not known either, though every commit of it is there', () => {
    const segments = [segment('base', 0, 3), segment('log', 3, 9)]
    const pause = (to: number) => ({ fromLsn: toLsn(4), toLsn: toLsn(to), fromTime: 4200, toTime: to * 1000 })
    const pauses = [pause(6), pause(7)]
    assert.deepEqual(
      [4000, 4200, 4201, 5000, 6000, 6999, 7000].map((time) => at(segments, time, { pauses })),
      ['4', '4', ...Array(4).fill('between 4 and 7'), '7'],
    )
    assert.equal(at(segments, 6500, { pauses, before: true }), '4')
  })

  test('with `before` is the last restorable state before it', () => {
    assert.deepEqual(
      [1000, 1001, 2000, 2500, 3000, 9999].map((time) => at(backups, time, { before: true })),
      ['between undefined and 1', '1', '1', '2', '2', '3'],
    )
  })

  test('where one state was captured twice, is not known between the two', () => {
    const twice = [segment('base', 0, 5), segment('base', 0, 5, { firstTime: 7000, lastTime: 7000 })]
    assert.deepEqual(
      [5000, 6000, 7000].map((time) => at(twice, time)),
      ['5', 'between 5 and 5', '5'],
    )
    const followed = [...twice, segment('log', 5, 6, { firstTime: 8000, lastTime: 8000 })]
    assert.deepEqual(
      [6000, 7500, 8000].map((time) => at(followed, time)),
      ['between 5 and 5', '5', '6'],
    )
  })

  test('is that of the model, for any segments and any times', () => {
    const last = 10
    const steps = fc.array(fc.nat(2), { minLength: last + 1, maxLength: last + 1 })
    const cases = steps.chain((increments) => {
      const times = increments.map((_, i) => 10 + increments.slice(0, i + 1).reduce((a, b) => a + b, 0))
      const time = (lsn: number) => times[lsn] ?? Number.NaN
      return anySegments(last, 12, time).map((segments) => ({ segments, time }))
    })
    fc.assert(
      fc.property(cases, fc.boolean(), ({ segments, time }, before) => {
        const reached = [...naiveReachable(segments)].filter((lsn) => lsn > 0).sort((a, b) => a - b)
        for (let moment = 9; moment <= time(last) + 1; moment++) {
          const earlier = reached.findLast((lsn) => (before ? time(lsn) < moment : time(lsn) <= moment))
          const later = reached.find((lsn) => lsn > (earlier ?? 0))
          const isKnown = earlier !== undefined && (before || time(earlier) === moment || isFollowed(segments, earlier))
          const expected = isKnown ? `${earlier}` : `between ${earlier} and ${later}`
          assert.equal(say(resolveTime(segments, moment, { before }), moment, { before }, time), expected)
        }
      }),
      { numRuns: 500 },
    )
  })
})

suite('an LSN as target', () => {
  const segments = [segment('base', 0, 2), segment('log', 2, 5), segment('base', 0, 8)]
  const lsn = (wanted: number, options?: ResolveOptions) => say(resolveLsn(segments, toLsn(wanted), options), 0)

  test('is taken as it is, or refused with the nearest around it', () => {
    assert.deepEqual(
      [1, 2, 4, 6, 8, 9].map((wanted) => lsn(wanted)),
      ['between undefined and 2', '2', '4', 'between 5 and 8', '8', 'between 8 and undefined'],
    )
  })

  test('with `before` is the greatest restorable LSN before it', () => {
    const found = [1, 2, 3, 5, 6, 8, 9, 99].map((wanted) => lsn(wanted, { before: true }))
    assert.deepEqual(found, ['between undefined and 2', 'between undefined and 2', '2', '4', '5', '5', '8', '8'])
  })
})
