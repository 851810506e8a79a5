import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { foldPages, type PageStep } from '../../src/history/fold-pages.ts'
import { pageLives } from '../../src/history/page-lives.ts'
import type { HistoryRecord } from '../../src/history/record.ts'
import { addHash, emptyState, formatState, removeHash } from '../../src/history/state-checksum.ts'
import { anyPageHistory, checksum, stateOf, toyHash } from './support/page-history.ts'

const full = (value: number): HistoryRecord => ({ op: 'full', value: Uint8Array.of(value) })
const patch = (value: number): HistoryRecord => ({ op: 'patch', xor: Uint8Array.of(value) })
const step = (pageCount: number, records: Record<number, HistoryRecord> = {}): PageStep => ({
  pageCount,
  records: new Map(Object.entries(records).map(([page, record]) => [Number(page), record])),
})

suite('folding the pages of a chain', () => {
  test('a page that was cut off does not come back with its old content', () => {
    const folded = foldPages([step(3, { 1: full(1), 2: full(2), 3: full(3) }), step(1), step(2, { 2: full(9) })], {
      startPageCount: 0,
    })
    assert.deepEqual(folded, step(2, { 1: full(1), 2: full(9) }))
  })

  test('a merge forgets what older steps said of pages beyond a later end', () => {
    assert.deepEqual(foldPages([step(3, { 2: patch(1), 3: patch(1) }), step(2)]), step(2, { 2: patch(1) }))
  })

  test('a merge of shrinking and growing again holds the regrown pages in full, so that nothing older shines through', () => {
    const before = step(3, { 1: full(1), 2: full(2), 3: full(3) })
    const merged = foldPages([step(1), step(3, { 2: full(8), 3: full(9) })], { startPageCount: 3 })
    assert.deepEqual(merged, step(3, { 2: full(8), 3: full(9) }))
    assert.deepEqual(
      foldPages([before, merged], { startPageCount: 0 }),
      step(3, { 1: full(1), 2: full(8), 3: full(9) }),
    )
  })

  test('a patch of a page that did not exist before is refused', () => {
    assert.throws(() => foldPages([step(2), step(1), step(2, { 2: patch(1) })]), {
      reason: 'patch-over-nothing',
      key: 2,
    })
    assert.throws(() => foldPages([step(1, { 1: patch(1) })], { startPageCount: 0 }), { reason: 'patch-over-nothing' })
  })

  test('a new page without a record is refused, unless it is the lock page', () => {
    const grown = [step(1), step(3, { 3: full(3) })]
    assert.throws(() => foldPages(grown), { reason: 'missing-page' })
    assert.deepEqual(foldPages(grown, { lockPage: 2 }), step(3, { 3: full(3) }))
    assert.throws(() => foldPages([step(1)], { startPageCount: 0 }), { reason: 'missing-page' })
  })

  test('growth of the first step is not checked where nothing is known of what came before', () => {
    assert.deepEqual(foldPages([step(5, { 5: patch(1) })]), step(5, { 5: patch(1) }))
  })

  test('records beyond their own page count do not count', () => {
    assert.deepEqual(foldPages([step(1, { 1: full(1), 2: full(2) })], { startPageCount: 0 }), step(1, { 1: full(1) }))
  })

  test('a drop among pages, and an empty run, are refused', () => {
    assert.throws(() => foldPages([step(1, { 1: { op: 'drop' } })]), { reason: 'drop-of-page', key: 1 })
    assert.throws(() => foldPages([], { startPageCount: 0 }), RangeError)
  })

  test('replaying every commit gives every state', () => {
    fc.assert(
      fc.property(anyPageHistory({ minLength: 1, maxLength: 10 }), ({ states, commits }) => {
        for (let lsn = 1; lsn < states.length; lsn++) {
          assert.deepEqual(stateOf(foldPages(commits.slice(0, lsn), { startPageCount: 0 })), states[lsn])
        }
      }),
    )
  })

  test('any partition of a chain merges to the same state, and to the same records', () => {
    const cuts = fc.uniqueArray(fc.nat(12), { maxLength: 5 })
    fc.assert(
      fc.property(anyPageHistory({ minLength: 1, maxLength: 12 }), cuts, ({ states, commits }, at) => {
        const ends = [...at.filter((cut) => cut > 0 && cut < commits.length).sort((a, b) => a - b), commits.length]
        const parts = ends.map((end, i) => {
          const from = ends[i - 1] ?? 0
          return foldPages(commits.slice(from, end), { startPageCount: states[from]?.length })
        })
        const merged = foldPages(parts, { startPageCount: 0 })
        assert.deepEqual(stateOf(merged), states.at(-1))
        const whole = foldPages(commits, { startPageCount: 0 })
        assert.deepEqual(merged.records.keys().toArray().sort(), whole.records.keys().toArray().sort())
      }),
    )
  })
})

suite('the steps that still count for a page', () => {
  test('are those after the last one that cut it off', () => {
    const livesFrom = pageLives([5, 2, 4, 3, 6])
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(livesFrom), [0, 0, 2, 4, 4, 4, 5])
    assert.equal(pageLives([])(1), 0)
  })

  test('are found as by looking at each', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 12 }), fc.integer({ min: 1, max: 10 }), (counts, page) => {
        assert.equal(pageLives(counts)(page), counts.findLastIndex((count) => count < page) + 1)
      }),
    )
  })

  test('are enough: a restore from them alone is the same', () => {
    fc.assert(
      fc.property(anyPageHistory({ minLength: 1, maxLength: 10 }), ({ states, commits }) => {
        const livesFrom = pageLives(commits.map(({ pageCount }) => pageCount))
        const reduced = commits.map(({ pageCount, records }, i) => ({
          pageCount,
          records: new Map([...records].filter(([page]) => livesFrom(page) <= i)),
        }))
        const last = states.at(-1) ?? []
        const folded = new Map(last.map((_, i) => [i + 1, pagesOnly(reduced, i + 1)]))
        assert.deepEqual(stateOf({ pageCount: last.length, records: folded }), last)
      }),
    )
  })

  function pagesOnly(steps: readonly PageStep[], page: number): HistoryRecord {
    const run = steps.flatMap(({ records }) => records.get(page) ?? []).map((record) => step(1, { 1: record }))
    const record = foldPages(run, { startPageCount: 0 }).records.get(1)
    assert.ok(record)
    return record
  }
})

suite('state checksum', () => {
  test('updated by the pages that a commit changed, it equals the sum over the whole database', () => {
    fc.assert(
      fc.property(anyPageHistory({ minLength: 1, maxLength: 8 }), ({ states, commits }) => {
        let state = emptyState
        for (const [i, { records }] of commits.entries()) {
          const [before, after] = [states[i] ?? [], states[i + 1] ?? []]
          const touched = new Set([...records.keys(), ...before.keys().map((index) => index + 1)])
          for (const page of touched) {
            const [former, value] = [before[page - 1], after[page - 1]]
            if (former !== undefined) state = removeHash(state, toyHash(page, former))
            if (value !== undefined) state = addHash(state, toyHash(page, value))
          }
          assert.equal(state, checksum(after))
        }
      }),
    )
  })

  test('adding and removing are inverse, in any order, modulo 2^64', () => {
    const hash = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(hash, hash, hash, (a, b, c) => {
        assert.equal(addHash(addHash(a, b), c), addHash(addHash(c, a), b))
        assert.equal(removeHash(addHash(a, b), b), a)
        assert.equal(removeHash(emptyState, b), BigInt.asUintN(64, -b))
      }),
    )
  })

  test('is written as sixteen digits', () => {
    assert.equal(formatState(255n), '00000000000000ff')
  })
})
