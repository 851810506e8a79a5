/**
 * Patches: what changed in a page, as its bytes XOR former ones, without the zeros between. A patch is a sequence of
 * (varint skip, varint n, n bytes), and of changes of the shift between a byte and the former one that it is made from:
 * (varint skip, 0, varint zigzag(shift)). See docs/format.md, "Patch".
 */
import { malformed } from './damage.ts'
import { PageScratch } from './page-scratch.ts'
import type { PatchStretches } from './patch-stretches.ts'
import { ByteReader, unzigzag } from './varint.ts'

const former = new PageScratch()

/** Whether bytes come from other places of the page. @throws INTEGRITY (without an object) if it is cut short */
export function hasMoves(patch: Uint8Array): boolean {
  const reader = new ByteReader(patch)
  while (reader.remaining > 0) {
    reader.varint()
    const length = reader.varint()
    if (length === 0) return true
    reader.skip(length)
  }
  return false
}

/**
 * Applies a patch in place. Returns whether it moves bytes.
 * @throws INTEGRITY (without an object) if it is malformed or reaches beyond the page; the page may then be half changed
 */
export function applyPatch(page: Uint8Array, patch: Uint8Array): boolean {
  return walk(patch, page.length, page)
}

/**
 * Returns whether the patch moves bytes.
 * @throws INTEGRITY (without an object) unless {@link applyPatch} would succeed on every page of this size
 */
export function checkPatch(patch: Uint8Array, pageSize: number): boolean {
  return walk(patch, pageSize)
}

/** Where the bytes of a patched page come from. @throws INTEGRITY (without an object) if the patch is malformed */
export function readStretches(patch: Uint8Array, pageSize: number, into: PatchStretches): void {
  walk(patch, pageSize, undefined, into.reset())
}

function walk(patch: Uint8Array, pageSize: number, page?: Uint8Array, stretches?: PatchStretches): boolean {
  const reader = new ByteReader(patch)
  let source = page
  let moves = false
  let at = 0
  let shift = 0
  while (reader.remaining > 0) {
    const element = reader.position
    const start = at + reader.varint()
    const length = reader.varint()
    const end = start + length
    if (end > pageSize) throw malformed('a patch reaches beyond its page')
    requireSource(at, end, shift, pageSize)
    if (page !== undefined && source !== undefined) copy(page, source, at, start, shift)
    if (length === 0) {
      shift = unzigzag(reader.varint())
      if (Math.abs(shift) >= pageSize) throw malformed(`a patch moves bytes by ${shift}`)
      if (page !== undefined && !moves) source = formerContent(page, patch.subarray(0, element))
      moves = true
      stretches?.add(start, shift)
    } else {
      const from = reader.skip(length) - start
      if (page !== undefined && source !== undefined)
        for (let to = start; to < end; to++) page[to] = (source[to + shift] ?? 0) ^ (patch[from + to] ?? 0)
    }
    at = end
  }
  requireSource(at, pageSize, shift, pageSize)
  if (page !== undefined && source !== undefined) copy(page, source, at, pageSize, shift)
  return moves
}

/** What the page was before the first elements of a patch, which move nothing: XOR undoes itself. */
function formerContent(page: Uint8Array, elements: Uint8Array): Uint8Array {
  const content = former.bytes.subarray(0, page.length)
  content.set(page)
  walk(elements, page.length, content)
  return content
}

function copy(page: Uint8Array, source: Uint8Array, start: number, end: number, shift: number): void {
  if (shift !== 0 && start < end) page.set(source.subarray(start + shift, end + shift), start)
}

function requireSource(start: number, end: number, shift: number, pageSize: number): void {
  if (start < end && (start + shift < 0 || end + shift > pageSize))
    throw malformed('a patch takes bytes from beyond its page')
}
