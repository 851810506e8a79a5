import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import * as model from '../../src/history/apply-patch.ts'
import { composePatches } from '../../src/segment/compose-patches.ts'
import { encodePatch } from '../../src/segment/encode-patch.ts'
import { maxPatchLength } from '../../src/segment/limits.ts'
import { applyPatch, checkPatch, hasMoves } from '../../src/segment/patch.ts'
import { noise } from './helpers.ts'
import { anyMoves, type ModelPatch, toBytes, toModel } from './patch-model.ts'

const pageSizes = fc.constantFrom(512, 1024, 4096, 65_536)

function applied(page: Uint8Array, patch: Uint8Array): Uint8Array {
  const result = Uint8Array.from(page)
  applyPatch(result, patch)
  return result
}

/** The patch of a page whose pieces are taken from the former one, at any distance, with new bytes between them. */
const movedPage = pageSizes.chain((pageSize) => {
  const piece = fc.record({ from: fc.nat(pageSize - 1), length: fc.integer({ min: 1, max: 200 }), fresh: fc.nat(30) })
  return fc.tuple(fc.nat(), fc.array(piece, { maxLength: 40 })).map(([seed, pieces]) => {
    const before = noise(pageSize, seed)
    const after = Uint8Array.from(before)
    let at = 0
    for (const [index, { from, length, fresh }] of pieces.entries()) {
      const taken = before.subarray(from, from + length).subarray(0, pageSize - at)
      after.set(taken, at)
      at = Math.min(pageSize, at + taken.length)
      after.set(noise(fresh, seed + index).subarray(0, pageSize - at), at)
      at = Math.min(pageSize, at + fresh)
    }
    return { before, after }
  })
})

suite('patches of what moved within a page', () => {
  test('turn the former page into the later one', () => {
    fc.assert(
      fc.property(movedPage, ({ before, after }) => {
        const patch = encodePatch(before, after)
        if (patch === undefined) return
        assert.ok(patch.length < after.length)
        checkPatch(patch, after.length)
        assert.deepEqual(applied(before, patch), after)
        assert.deepEqual(model.applyPatch(before, toModel(patch, after.length)), after)
      }),
      { numRuns: 200 },
    )
  })

  test('a piece that moved takes some bytes, however long it is, and whatever is before and after it', () => {
    for (const pageSize of [512, 4096, 65_536]) {
      for (const distance of [-37, -2, 1, 2, 4, 100]) {
        const before = noise(pageSize, 7)
        const after = Uint8Array.from(before)
        const [start, end] = [pageSize / 4, pageSize / 2]
        after.copyWithin(start + distance, start, end)
        const patch = encodePatch(before, after) ?? assert.fail()
        assert.ok(hasMoves(patch))
        assert.ok(patch.length <= Math.abs(distance) + 16, `${patch.length} bytes for ${distance}`)
        assert.deepEqual(applied(before, patch), after)
      }
    }
  })

  test('a page of which nothing is where it was needs no whole page', () => {
    const before = noise(4096, 3)
    const after = new Uint8Array(4096)
    after.set(before.subarray(0, 4000), 96)
    after.set(before.subarray(4000), 0)
    assert.ok((encodePatch(before, after) ?? assert.fail()).length <= 12)
  })

  test('a change of fewer than 49 bytes is taken as it is', () => {
    const before = noise(512, 3)
    const after = Uint8Array.from(before)
    after.copyWithin(100, 98, 130)
    assert.ok(!hasMoves(encodePatch(before, after) ?? assert.fail()))
  })

  test('the patches of thousands of pages, one after the other, know nothing of each other', () => {
    const moved = (seed: number) => {
      const before = noise(512, seed)
      const after = Uint8Array.from(before)
      after.copyWithin(300, 20, 20 + 60 + (seed % 50))
      return encodePatch(before, after)
    }
    const first = moved(12_345)
    for (let seed = 0; seed < 70_000; seed += 1)
      if (seed % 10_000 === 0) assert.deepEqual(moved(12_345), first)
      else moved(seed)
    assert.deepEqual(moved(12_345), first)
  })

  test('the bytes of the example in docs/format.md do what it says', () => {
    const before = noise(512, 1)
    const after = Uint8Array.from(before)
    after.set(before.subarray(100, 110), 102)
    after[100] = (before[100] ?? 0) ^ 0xaa
    after[101] = (before[101] ?? 0) ^ 0xbb
    after[102] = (before[100] ?? 0) ^ 0x07
    const patch = Uint8Array.of(0x64, 0x02, 0xaa, 0xbb, 0x00, 0x00, 0x03, 0x00, 0x01, 0x07, 0x09, 0x00, 0x00)
    assert.deepEqual(applied(before, patch), after)
  })
})

suite('composition of patches that move bytes', () => {
  const pageSize = 512
  const patch = anyMoves(pageSize)
  const numbers = (composed: ModelPatch) => ({ xor: [...composed.xor], sources: [...composed.sources] })

  test('is that of the model, byte for byte', () => {
    fc.assert(
      fc.property(patch, patch, fc.nat(), (p, q, seed) => {
        const [older, newer] = [toBytes(p), toBytes(q)]
        assert.deepEqual(numbers(toModel(older, pageSize)), numbers(p))
        const page = noise(pageSize, seed)
        assert.deepEqual(applied(page, older), model.applyPatch(page, p))
        const composed = composePatches(older, newer, pageSize)
        checkPatch(composed, pageSize)
        const { xor, sources = new Uint32Array() } = model.composePatches(p, q)
        assert.deepEqual(numbers(toModel(composed, pageSize)), numbers({ xor, sources }))
        assert.deepEqual(applied(page, composed), applied(applied(page, older), newer))
      }),
      { numRuns: 300 },
    )
  })

  test('is associative, to the byte', () => {
    fc.assert(
      fc.property(patch, patch, patch, (p, q, r) => {
        const [a, b, c] = [toBytes(p), toBytes(q), toBytes(r)]
        assert.deepEqual(
          composePatches(composePatches(a, b, pageSize), c, pageSize),
          composePatches(a, composePatches(b, c, pageSize), pageSize),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('does what its parts do, for pages of any size', () => {
    const step = pageSizes.chain((size) => fc.tuple(fc.constant(size), anyMoves(size), anyMoves(size), fc.nat()))
    fc.assert(
      fc.property(step, ([size, p, q, seed]) => {
        const [older, newer] = [toBytes(p), toBytes(q)]
        const page = noise(size, seed)
        const composed = composePatches(older, newer, size)
        assert.deepEqual(applied(page, composed), applied(applied(page, older), newer))
      }),
      { numRuns: 60 },
    )
  })

  test('stays within its bound where every byte comes from somewhere else and is changed', () => {
    for (const size of [512, 4096, 65_536]) {
      const xor = new Uint8Array(size).fill(9)
      const reversed = toBytes({ xor, sources: Uint32Array.from(xor.keys()).reverse() })
      const composed = composePatches(
        reversed,
        toBytes({ xor: xor.fill(5), sources: Uint32Array.from(xor.keys()) }),
        size,
      )
      assert.ok(composed.length <= maxPatchLength(size), `${composed.length} bytes`)
      assert.ok(composed.length > 5 * size, 'not the worst that there is')
      const page = noise(size, 1)
      assert.deepEqual(
        applied(page, composed),
        page.toReversed().map((byte) => byte ^ 9 ^ 5),
      )
    }
  })

  test('a move and the way back compose to nothing', () => {
    const there = Uint32Array.from({ length: pageSize }, (_, at) => (at + 100) % pageSize)
    const back = Uint32Array.from({ length: pageSize }, (_, at) => (at + pageSize - 100) % pageSize)
    const xor = new Uint8Array(pageSize)
    const composed = composePatches(toBytes({ xor, sources: there }), toBytes({ xor, sources: back }), pageSize)
    assert.deepEqual(composed, new Uint8Array(0))
  })
})

suite('patches that move bytes and are damaged', () => {
  const damaged: Record<string, number[]> = {
    'that take bytes from before the page': [0, 0, 1],
    'that take bytes from after the page': [0, 0, 2],
    'that go on so to the end of the page': [0x80, 1, 0, 2],
    'that run on from there': [0, 0, 2, 0xff, 3, 1, 7],
    'whose shift is cut off': [5, 0],
    'whose shift is longer than the page': [0x80, 4, 0, 0x80, 8],
    'whose shift is no number': [0, 0, 0x80],
    'whose shift is beyond all numbers': [0, 0, ...new Array<number>(9).fill(0xff)],
    'that change the shift beyond the page': [0x81, 4, 0, 2],
  }
  for (const [name, bytes] of Object.entries(damaged)) {
    test(`${name} are refused`, () => {
      const patch = Uint8Array.from(bytes)
      assert.throws(() => checkPatch(patch, 512), { code: 'INTEGRITY' })
      assert.throws(() => applyPatch(new Uint8Array(512), patch), { code: 'INTEGRITY' })
      assert.throws(() => composePatches(new Uint8Array(0), patch, 512), { code: 'INTEGRITY' })
    })
  }

  test('any bytes are refused, or do what the model says', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 })
    const edited = fc.tuple(anyMoves(512), edits).map(([moves, changes]) => {
      const patch = toBytes(moves)
      for (const [at, byte] of changes) patch[at % Math.max(1, patch.length)] = byte
      return patch
    })
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), edited)
    let accepted = 0
    fc.assert(
      fc.property(bytes, (patch) => {
        const page = noise(512, 1)
        try {
          checkPatch(patch, 512)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'INTEGRITY')
          assert.throws(() => applyPatch(page, patch), { code: 'INTEGRITY' })
          return
        }
        if (hasMoves(patch)) accepted++
        assert.deepEqual(applied(page, patch), model.applyPatch(page, toModel(patch, 512)))
      }),
      { numRuns: 2000 },
    )
    assert.ok(accepted > 20, `only ${accepted} of them move bytes`)
  })
})
