/**
 * Patches: what changed in a page, as its bytes XOR the former ones, without the zeros between. A patch is a sequence of
 * (varint skip, varint n, n bytes); whatever it does not reach is unchanged. See docs/format.md, "Patch".
 */
import { malformed } from './damage.ts'
import { maxPageSize, maxPatchLength } from './limits.ts'
import { ByteReader } from './varint.ts'

const differences = new Int32Array(maxPageSize / 4)
const differenceBytes = new Uint8Array(differences.buffer)
const alignedBefore = new Int32Array(maxPageSize / 4)
const alignedAfter = new Int32Array(maxPageSize / 4)
const encoded = new Uint8Array(maxPatchLength(maxPageSize))

/** The patch that turns `before` into `after`, or undefined when it would not be smaller than `after` itself. Both have the page size. */
export function encodePatch(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  const words = after.length / 4
  const a = wordsOf(before, alignedBefore)
  const b = wordsOf(after, alignedAfter)
  for (let at = 0; at < words; at++) differences[at] = (a[at] ?? 0) ^ (b[at] ?? 0)
  return encodeDifferences(after.length, after.length - 1)
}

/**
 * Applies a patch in place.
 * @throws INTEGRITY (without an object) if it is malformed or reaches beyond the page; the page may then be half changed
 */
export function applyPatch(page: Uint8Array, patch: Uint8Array): void {
  walk(patch, page.length, page)
}

/**
 * The patch that does what `older` and then `newer` do. It may be as large as the page, and four bytes more.
 * @throws INTEGRITY (without an object) if one of them is malformed
 */
export function composePatches(older: Uint8Array, newer: Uint8Array, pageSize: number): Uint8Array {
  const page = differenceBytes.subarray(0, pageSize)
  page.fill(0)
  applyPatch(page, older)
  applyPatch(page, newer)
  const composed = encodeDifferences(pageSize, maxPatchLength(pageSize))
  if (composed === undefined) throw new RangeError('A patch outgrew its bound.')
  return composed
}

/** @throws INTEGRITY (without an object) unless {@link applyPatch} would succeed on every page of this size */
export function checkPatch(patch: Uint8Array, pageSize: number): void {
  walk(patch, pageSize)
}

function walk(patch: Uint8Array, pageSize: number, page?: Uint8Array): void {
  const reader = new ByteReader(patch)
  let start = 0
  while (reader.remaining > 0) {
    start += reader.varint()
    const length = reader.varint()
    if (start + length > pageSize) throw malformed('a patch reaches beyond its page')
    const bytes = reader.bytes(length)
    if (page !== undefined)
      for (let at = 0; at < length; at++) page[start + at] = (page[start + at] ?? 0) ^ (bytes[at] ?? 0)
    start += length
  }
}

/**
 * Encodes the first bytes of `differences`; undefined if that takes more than `limit` bytes. A run spans neighbouring words
 * that differ, less the equal bytes at both ends. So at least four equal bytes lie between two runs, which is why the whole
 * never passes {@link maxPatchLength}: they outweigh the second run's skip and length.
 */
function encodeDifferences(pageSize: number, limit: number): Uint8Array | undefined {
  const words = pageSize / 4
  let length = 0
  let done = 0
  for (let word = 0; word < words; word++) {
    if (differences[word] === 0) continue
    let start = word * 4
    while (differences[word] !== 0 && word < words) word++
    let end = word * 4
    while (differenceBytes[start] === 0) start++
    while (differenceBytes[end - 1] === 0) end--
    if (length + varintLength(start - done) + varintLength(end - start) + end - start > limit) return undefined
    length = putVarint(length, start - done)
    length = putVarint(length, end - start)
    encoded.set(differenceBytes.subarray(start, end), length)
    length += end - start
    done = end
  }
  return encoded.slice(0, length)
}

function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3
}

function putVarint(at: number, value: number): number {
  let rest = value
  let position = at
  while (rest >= 0x80) {
    encoded[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  encoded[position++] = rest
  return position
}

/** The bytes as words; copied where they lie askew. */
function wordsOf(bytes: Uint8Array, scratch: Int32Array): Int32Array {
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  new Uint8Array(scratch.buffer, 0, bytes.length).set(bytes)
  return scratch
}
