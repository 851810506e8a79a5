import { maxPatchLength } from './limits.ts'
import { PageScratch } from './page-scratch.ts'
import { applyPatch, readStretches } from './patch.ts'
import { PatchStretches } from './patch-stretches.ts'
import { PatchWriter } from './patch-writer.ts'

const xor = new PageScratch()
const olderStretches = new PatchStretches()
const newerStretches = new PatchStretches()
const stretches = new PatchStretches()
const writer = new PatchWriter()

/**
 * The patch that does what `older` and then `newer` do. It may be longer than a page, by as much as {@link maxPatchLength} says.
 * @throws INTEGRITY (without an object) if one of them is malformed
 */
export function composePatches(older: Uint8Array, newer: Uint8Array, pageSize: number): Uint8Array {
  // What is to be XORed in the end is what both make of a page of zeros.
  const page = xor.bytes.subarray(0, pageSize)
  page.fill(0)
  const olderMoves = applyPatch(page, older)
  const newerMoves = applyPatch(page, newer)
  stretches.reset()
  if (olderMoves || newerMoves) {
    readStretches(older, pageSize, olderStretches)
    readStretches(newer, pageSize, newerStretches)
    stretches.compose(olderStretches, newerStretches, pageSize)
  }
  writer.begin(maxPatchLength(pageSize))
  for (let index = 0; index < stretches.count; index++) {
    const start = stretches.start(index)
    writer.shift(start, stretches.shift(index))
    writer.differences(xor, start, stretches.end(index, pageSize))
  }
  if (writer.length === undefined) throw new RangeError('A patch outgrew its bound.')
  return writer.result()
}
