import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { dependentsOf, planDeletion, segmentsNeededBy } from '../../src/history/dependents.ts'
import { toLsn } from '../../src/history/lsn.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { unneededSegments } from '../../src/history/unneeded-segments.ts'
import { leadsTo, naiveReachable } from './support/naive.ts'
import { anySegments, lsns, segment } from './support/segments.ts'

const keys = (segments: readonly SegmentInfo[]) => segments.map(({ key }) => key)
const backup = (lsn: number, id = `b${lsn}`) => ({ id, lsn: toLsn(lsn) })
const range = (first: number, last: number) => ({ first: toLsn(first), last: toLsn(last) })
const ids = (backups: readonly { id: string }[]) => backups.map(({ id }) => id)

suite('deleting one backup', () => {
  const chain = [segment('base', 0, 1), segment('delta', 1, 2), segment('delta', 2, 3), segment('base', 0, 4)]
  const backups = [1, 2, 3, 4].map((lsn) => backup(lsn))

  test('is refused by those that build on it', () => {
    assert.deepEqual(ids(dependentsOf(chain, backups, backup(1))), ['b2', 'b3'])
    assert.deepEqual(ids(dependentsOf(chain, backups, backup(3))), [])
    assert.deepEqual(planDeletion(chain, backups, backup(2)), { dependents: [backup(3)], segments: [] })
  })

  test('takes its own segment with it', () => {
    assert.deepEqual(keys(planDeletion(chain, backups, backup(3)).segments), ['2-3-1-delta'])
    assert.deepEqual(keys(planDeletion(chain, backups, backup(4)).segments), ['0-4-1-base'])
  })

  test('takes along what led to it alone', () => {
    const left = backups.filter(({ lsn }) => lsn !== 2)
    assert.deepEqual(keys(planDeletion(chain, left, backup(3)).segments), ['1-2-1-delta', '2-3-1-delta'])
  })

  test('leaves everything in place while another backup has the same LSN', () => {
    const both = [...backups, backup(3, 'named')]
    assert.deepEqual(planDeletion(chain, both, backup(3)), { dependents: [], segments: [] })
  })

  test('is possible where the others have another way', () => {
    const around = [...chain, segment('base', 0, 3)]
    const { dependents, segments } = planDeletion(around, backups, backup(2))
    assert.deepEqual(dependents, [])
    assert.deepEqual(keys(segments), ['1-2-1-delta'])
  })

  test('never deletes a log, nor what a protected range needs', () => {
    const followed = [segment('base', 0, 1), segment('log', 1, 5), segment('base', 0, 3)]
    const kept = [backup(1), backup(3)]
    assert.deepEqual(keys(planDeletion(followed, kept, backup(3)).segments), ['0-3-1-base'])
    assert.deepEqual(planDeletion(followed, kept, backup(1), [range(1, 5)]).segments, [])
    assert.deepEqual(keys(planDeletion(followed, kept, backup(1), [range(3, 3)]).segments), ['0-1-1-base'])
  })

  test('is refused where something else is missing already', () => {
    const damaged = chain.filter(({ to }) => to !== 2)
    assert.throws(() => planDeletion(damaged, backups, backup(4)), { name: 'UnreachableError', target: 2 })
    const others = backups.filter(({ lsn }) => lsn === 1 || lsn === 3 || lsn === 4)
    assert.deepEqual(keys(planDeletion(damaged, others, backup(3)).segments), ['2-3-1-delta'])
  })

  test('leaves every other backup and every protected LSN restorable, whatever there is', () => {
    let deleted = 0
    const protectedLsns = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(3))
    fc.assert(
      fc.property(anySegments(9, 14), fc.nat(), protectedLsns, (segments, which, [first, length]) => {
        const all = [...naiveReachable(segments)].filter((lsn) => lsn > 0)
        const some = all.filter((lsn) => (lsn * 7 + which) % 3 !== 0).map((lsn) => backup(lsn))
        const victim = some[which % Math.max(1, some.length)]
        if (victim === undefined) return
        const protectedRange = range(first, first + length)
        const deletion = planDeletion(segments, some, victim, [protectedRange])
        const after = naiveReachable(segments.filter((s) => !deletion.segments.includes(s)))
        for (const other of some) if (other !== victim) assert.ok(after.has(other.lsn))
        for (const lsn of all) if (lsn >= first && lsn <= first + length) assert.ok(after.has(lsn))
        assert.ok(deletion.segments.every(({ kind }) => kind !== 'log'))
        assert.ok(deletion.dependents.length === 0 || deletion.segments.length === 0)
        deleted += deletion.segments.length
      }),
      { numRuns: 500 },
    )
    assert.ok(deleted > 50, 'something was deleted at all')
  })
})

suite('segments that nothing kept needs', () => {
  test('are those on no way to anything kept; alternatives stay', () => {
    const segments = [
      segment('base', 0, 1),
      segment('delta', 1, 2),
      segment('delta', 2, 3),
      segment('base', 0, 3),
      segment('base', 0, 4),
    ]
    assert.deepEqual(keys(unneededSegments(segments, lsns(3))), ['0-4-1-base'])
    assert.deepEqual(keys(unneededSegments(segments, lsns(1))), [
      '0-3-1-base',
      '0-4-1-base',
      '1-2-1-delta',
      '2-3-1-delta',
    ])
  })

  test('are none where a kept LSN cannot be reached: something is missing', () => {
    assert.throws(() => unneededSegments([segment('base', 0, 1)], lsns(1, 2)), { name: 'UnreachableError', target: 2 })
  })

  test('are exactly those of the model', () => {
    const wanted = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 }), fc.integer({ min: -1, max: 3 }))
    fc.assert(
      fc.property(anySegments(9, 10), wanted, (segments, [which, first, length]) => {
        const kept = [...naiveReachable(segments)].filter((lsn) => lsn > 0 && (lsn * 5 + which) % 3 === 0)
        const protectedRange = range(first, first + length)
        const isWanted = (lsn: number) => kept.includes(lsn) || (lsn >= first && lsn <= first + length)
        const expected = segments.filter((s) => s.kind !== 'log' && !leadsTo(segments, s.to, isWanted))
        const found = unneededSegments(segments, lsns(...kept), [protectedRange])
        assert.deepEqual(keys(found).sort(), keys(expected).sort())
      }),
      { numRuns: 300 },
    )
  })
})

suite('segments that restores need', () => {
  test('are those of the plans of all wanted LSNs', () => {
    const segments = [segment('base', 0, 1), segment('delta', 1, 2), segment('delta', 1, 3), segment('base', 0, 4)]
    assert.deepEqual(keys(segmentsNeededBy(segments, lsns(3, 2, 3))), ['0-1-1-base', '1-2-1-delta', '1-3-1-delta'])
  })
})
