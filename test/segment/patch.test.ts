import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composePatches } from '../../src/segment/compose-patches.ts'
import { encodePatch } from '../../src/segment/encode-patch.ts'
import { maxPatchLength } from '../../src/segment/limits.ts'
import { applyPatch, hasMoves } from '../../src/segment/patch.ts'

const pageSizes = fc.constantFrom(512, 1024, 4096, 65_536)

/** A page and changes to it: short ones, long ones, overlapping ones. */
const changes = (pageSize: number) =>
  fc.array(fc.tuple(fc.nat(pageSize - 1), fc.uint8Array({ minLength: 1, maxLength: 300 })), { maxLength: 40 })

function changed(page: Uint8Array, edits: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const after = Uint8Array.from(page)
  for (const [at, bytes] of edits) after.set(bytes.subarray(0, page.length - at), at)
  return after
}

const pair = pageSizes.chain((pageSize) =>
  fc.tuple(fc.uint8Array({ minLength: pageSize, maxLength: pageSize }), changes(pageSize), changes(pageSize)),
)

test('a patch turns the former page into the later one, and back if nothing moved', () => {
  fc.assert(
    fc.property(pair, fc.nat(7), ([before, edits], shift) => {
      const after = askew(changed(before, edits), shift)
      const patch = encodePatch(before, after)
      if (patch === undefined) return
      assert.ok(patch.length < after.length)
      const page = Uint8Array.from(before)
      applyPatch(page, patch)
      assert.deepEqual(page, Uint8Array.from(after))
      if (hasMoves(patch)) return
      applyPatch(page, patch)
      assert.deepEqual(page, before)
    }),
    { numRuns: 100 },
  )
})

test('a composed patch does what its parts do, one after the other', () => {
  fc.assert(
    fc.property(pair, ([first, edits, moreEdits]) => {
      const second = changed(first, edits)
      const third = changed(second, moreEdits)
      const older = encodePatch(first, second)
      const newer = encodePatch(second, third)
      if (older === undefined || newer === undefined) return
      const composed = composePatches(older, newer, first.length)
      assert.ok(composed.length <= maxPatchLength(first.length))
      const page = Uint8Array.from(first)
      applyPatch(page, composed)
      assert.deepEqual(page, third)
    }),
    { numRuns: 100 },
  )
})

test('a patch and itself compose to nothing', () => {
  const patch = encodePatch(new Uint8Array(512), new Uint8Array(512).fill(9, 40, 60)) ?? assert.fail()
  assert.deepEqual(composePatches(patch, patch, 512), new Uint8Array(0))
})

test('one changed byte takes three bytes, or four beyond offset 127', () => {
  assert.deepEqual(encodePatch(new Uint8Array(512), new Uint8Array(512).fill(7, 10, 11)), Uint8Array.of(10, 1, 7))
  assert.deepEqual(
    encodePatch(new Uint8Array(512), new Uint8Array(512).fill(7, 300, 301)),
    Uint8Array.of(0xac, 2, 1, 7),
  )
})

test('gaps of less than four equal bytes do not end a run', () => {
  const after = new Uint8Array(512)
  after.set([1, 0, 0, 0, 2], 8)
  assert.deepEqual(encodePatch(new Uint8Array(512), after), Uint8Array.of(8, 5, 1, 0, 0, 0, 2))
})

test('equal pages give an empty patch; a page wholly changed gives none', () => {
  assert.deepEqual(encodePatch(new Uint8Array(512), new Uint8Array(512)), new Uint8Array(0))
  assert.equal(encodePatch(new Uint8Array(512), new Uint8Array(512).fill(1)), undefined)
})

test('the worst composed patch without moves is four bytes longer than the page', () => {
  for (const pageSize of [512, 65_536]) {
    const half = pageSize / 2
    const left = encodePatch(new Uint8Array(pageSize), new Uint8Array(pageSize).fill(1, 0, half)) ?? assert.fail()
    const right = encodePatch(new Uint8Array(pageSize), new Uint8Array(pageSize).fill(1, half)) ?? assert.fail()
    assert.ok(composePatches(left, right, pageSize).length <= pageSize + 4)
  }
})

test('a malformed patch is an error, whatever its bytes', () => {
  const malformed = [[0], [0, 5], [0, 5, 1, 2], [0xff, 0xff, 3, 1, 1], [0x80], new Array(12).fill(0xff)]
  for (const bytes of malformed)
    assert.throws(() => applyPatch(new Uint8Array(512), Uint8Array.from(bytes)), { code: 'INTEGRITY' })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const page = new Uint8Array(512)
      try {
        applyPatch(page, bytes)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'INTEGRITY')
      }
      assert.equal(page.length, 512)
    }),
  )
})

/** The same bytes, not aligned to words. */
function askew(bytes: Uint8Array, shift: number): Uint8Array {
  const copy = new Uint8Array(bytes.length + shift).subarray(shift)
  copy.set(bytes)
  return copy
}
