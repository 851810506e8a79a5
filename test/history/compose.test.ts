import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { compose, mergeRecords } from '../../src/history/compose.ts'
import { IllegalCompositionError } from '../../src/history/illegal-composition-error.ts'
import type { HistoryRecord } from '../../src/history/record.ts'
import { xor, xorInto } from '../../src/history/xor.ts'

const bytes = (...values: number[]) => Uint8Array.of(...values)
const full = (...values: number[]): HistoryRecord => ({ op: 'full', value: bytes(...values) })
const patch = (...values: number[]): HistoryRecord => ({ op: 'patch', xor: bytes(...values) })
const drop: HistoryRecord = { op: 'drop' }

const anyBytes = fc.uint8Array({ minLength: 3, maxLength: 4 })
/** Its bytes come from anywhere, now and then from beyond the end. */
const anyMove = anyBytes.chain((xor) =>
  fc
    .array(fc.oneof({ weight: 20, arbitrary: fc.nat(xor.length - 1) }, { weight: 1, arbitrary: fc.nat(9) }), {
      minLength: xor.length,
      maxLength: xor.length,
    })
    .map((sources): HistoryRecord => ({ op: 'patch', xor, sources: Uint32Array.from(sources) })),
)
const anyRecord: fc.Arbitrary<HistoryRecord> = fc.oneof(
  anyBytes.map((value): HistoryRecord => ({ op: 'full', value })),
  anyBytes.map((value): HistoryRecord => ({ op: 'patch', xor: value })),
  anyMove,
  fc.constant(drop),
)

function attempt<T>(work: () => T): T | 'refused' {
  try {
    return work()
  } catch (error) {
    assert.ok(error instanceof IllegalCompositionError)
    return 'refused'
  }
}

suite('composition of records', () => {
  test('a full record or a drop replaces whatever came before', () => {
    for (const older of [undefined, full(1), patch(1), drop]) {
      assert.deepEqual(compose(older, full(7, 7)), full(7, 7))
      assert.deepEqual(compose(older, drop), drop)
    }
  })

  test('a patch changes a full record, and joins another patch', () => {
    assert.deepEqual(compose(full(0b1100, 1), patch(0b1010, 0)), full(0b0110, 1))
    assert.deepEqual(compose(patch(0b1100, 1), patch(0b1010, 0)), patch(0b0110, 1))
  })

  test('a patch that moves bytes takes them from where they were, and joins another one', () => {
    const turn: HistoryRecord = { op: 'patch', xor: bytes(0, 0, 4), sources: Uint32Array.of(1, 2, 0) }
    assert.deepEqual(compose(full(1, 2, 3), turn), full(2, 3, 5))
    assert.deepEqual(compose(patch(8, 16, 32), turn), {
      op: 'patch',
      xor: bytes(16, 32, 12),
      sources: Uint32Array.of(1, 2, 0),
    })
    assert.deepEqual(compose(turn, turn), { op: 'patch', xor: bytes(0, 4, 4), sources: Uint32Array.of(2, 0, 1) })
    assert.deepEqual(compose(turn, patch(1, 1, 1)), {
      op: 'patch',
      xor: bytes(1, 1, 5),
      sources: Uint32Array.of(1, 2, 0),
    })
  })

  test('a patch of a patch does to a value what both do, one after the other, wherever their bytes come from', () => {
    const same = fc.integer({ min: 1, max: 9 }).chain((length) => {
      const value = fc.uint8Array({ minLength: length, maxLength: length })
      const sources = fc
        .array(fc.nat(length - 1), { minLength: length, maxLength: length })
        .map((from) => Uint32Array.from(from))
      const step = fc.record({ op: fc.constant('patch'), xor: value, sources: fc.option(sources, { nil: undefined }) })
      return fc.tuple(value, step, step)
    })
    fc.assert(
      fc.property(same, ([value, p, q]) => {
        const once = compose({ op: 'full', value }, p)
        assert.deepEqual(compose({ op: 'full', value }, compose(p, q)), compose(once, q))
      }),
    )
  })

  test('what a patch cannot change is refused, by name', () => {
    const reasonOf = (older: HistoryRecord | undefined, newer: HistoryRecord) => {
      try {
        return compose(older, newer, 'k')
      } catch (error) {
        assert.ok(error instanceof IllegalCompositionError)
        assert.equal(error.key, 'k')
        return error.reason
      }
    }
    assert.equal(reasonOf(drop, patch(1)), 'patch-over-drop')
    assert.equal(reasonOf(undefined, patch(1)), 'patch-over-nothing')
    assert.equal(reasonOf(full(1, 2), patch(1)), 'unequal-lengths')
    assert.equal(reasonOf(patch(1), patch(1, 2)), 'unequal-lengths')
    const move = (...sources: number[]): HistoryRecord => ({
      op: 'patch',
      xor: bytes(0, 0),
      sources: Uint32Array.from(sources),
    })
    assert.equal(reasonOf(full(1, 2), move(1)), 'unequal-lengths')
    assert.equal(reasonOf(full(1, 2), move(1, 2)), 'source-beyond-end')
    assert.equal(reasonOf(move(1, 0), move(0, 9)), 'source-beyond-end')
  })

  test('it is associative wherever it is legal, and leaves its arguments as they were', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, anyRecord, (a, b, c) => {
        const copies = structuredClone([a, b, c])
        const left = attempt(() => compose(compose(a, b), c))
        const right = attempt(() => compose(a, compose(b, c)))
        if (left !== 'refused' && right !== 'refused') assert.deepEqual(left, right)
        // Only what a later value makes irrelevant may hide a refusal.
        else if (c.op === 'patch') assert.equal(left, right)
        assert.deepEqual([a, b, c], copies)
      }),
    )
  })
})

suite('merging neighbouring changes of a key-value store', () => {
  type Change = ReadonlyMap<string, HistoryRecord>
  const anyChange: fc.Arbitrary<Change> = fc
    .array(
      fc.tuple(
        fc.constantFrom('a', 'b', 'c'),
        anyRecord.filter(({ op }) => op !== 'patch'),
      ),
    )
    .map((entries) => new Map(entries))

  function replay(changes: readonly Change[]): Map<string, Uint8Array> {
    const state = new Map<string, Uint8Array>()
    for (const change of changes) {
      for (const [key, record] of change) {
        if (record.op === 'full') state.set(key, record.value)
        else state.delete(key)
      }
    }
    return state
  }

  test('any partition of a run merges to the same state', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { minLength: 1, maxLength: 8 }), fc.nat(), (run, at) => {
        const cut = at % (run.length + 1)
        const inParts = [mergeRecords(run.slice(0, cut)), mergeRecords(run.slice(cut))]
        const values = [...mergeRecords(inParts, { fromNothing: true })]
        const state = new Map(values.map(([key, record]) => [key, record.op === 'full' ? record.value : undefined]))
        assert.deepEqual(state, replay(run))
      }),
    )
  })

  test('a patch waits for its base where the run does not begin at nothing, and is refused where it does', () => {
    const run = [new Map([['a', patch(1)]]), new Map([['a', patch(2)]])]
    assert.deepEqual(mergeRecords(run), new Map([['a', patch(3)]]))
    assert.throws(() => mergeRecords(run, { fromNothing: true }), { reason: 'patch-over-nothing', key: 'a' })
  })
})

suite('xor', () => {
  test('equals the XOR byte by byte, at any alignment and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(7), fc.nat(7), (value, atA, atB) => {
        const a = new Uint8Array(80).subarray(atA, atA + value.length)
        const b = new Uint8Array(80).subarray(atB, atB + value.length)
        a.set(value)
        b.set(value.map((byte) => byte * 7 + 3))
        const expected = a.map((byte, i) => byte ^ (b[i] ?? 0))
        assert.deepEqual(xor(a, b), expected)
        const padded = new Uint8Array(a.buffer)
        const outside = () => [...padded.subarray(0, atA), ...padded.subarray(atA + value.length)]
        xorInto(a, b)
        assert.deepEqual(a, expected)
        assert.ok(outside().every((byte) => byte === 0))
      }),
    )
  })

  test('refuses unequal lengths', () => {
    assert.throws(() => xor(bytes(1), bytes(1, 2)), RangeError)
  })
})
