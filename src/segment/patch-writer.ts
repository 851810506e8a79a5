import { maxPageSize, maxPatchLength } from './limits.ts'
import type { PageScratch } from './page-scratch.ts'
import { zigzag } from './varint.ts'

/** Runs up to here are copied byte by byte, which is faster than to ask for a view of them. */
const shortRun = 64

/** Puts a patch together, in memory that is used again for the next. */
export class PatchWriter {
  readonly #bytes: Uint8Array
  #length = 0
  #limit = 0
  /** Where in the page the last element ended. */
  #done = 0
  #shift = 0

  constructor(capacity = maxPatchLength(maxPageSize)) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** Begins a patch that is of no use if it gets longer than `limit` bytes. */
  begin(limit: number): this {
    this.#length = 0
    this.#limit = limit
    this.#done = 0
    this.#shift = 0
    return this
  }

  /** Its length, or undefined if it would be longer than the limit. */
  get length(): number | undefined {
    return this.#length > this.#limit ? undefined : this.#length
  }

  result(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** From `start` on. */
  shift(start: number, shift: number): void {
    if (shift === this.#shift || !this.#fits(start, 0, varintLength(zigzag(shift)))) return
    this.#varint(start - this.#done)
    this.#varint(0)
    this.#varint(zigzag(shift))
    this.#done = start
    this.#shift = shift
  }

  /**
   * What differs from `start` to `end`. A run spans neighbouring words that are not zero, less the zeros at both ends; so
   * at least four zeros lie between two runs of a stretch, which outweigh the second one's skip and length.
   */
  differences({ words, bytes }: PageScratch, start: number, end: number): void {
    const endWord = (end + 3) >>> 2
    for (let word = start >>> 2; word < endWord; word++) {
      if (words[word] === 0) continue
      const first = word
      while (word < endWord && words[word] !== 0) word++
      this.run(bytes, Math.max(first << 2, start), Math.min(word << 2, end))
    }
  }

  /** Bytes that differ, perhaps with zeros before and after them. */
  run(bytes: Uint8Array, from: number, to: number): void {
    let start = from
    let end = to
    while (start < end && bytes[start] === 0) start++
    while (start < end && bytes[end - 1] === 0) end--
    const length = end - start
    if (length === 0 || !this.#fits(start, length, length)) return
    this.#varint(start - this.#done)
    this.#varint(length)
    if (length > shortRun) this.#bytes.set(bytes.subarray(start, end), this.#length)
    else for (let at = 0; at < length; at++) this.#bytes[this.#length + at] = bytes[start + at] ?? 0
    this.#length += length
    this.#done = end
  }

  /** Once something did not fit, nothing does. */
  #fits(start: number, count: number, more: number): boolean {
    if (this.#length > this.#limit) return false
    const needed = varintLength(start - this.#done) + varintLength(count) + more
    if (this.#length + needed <= this.#limit) return true
    this.#length = this.#limit + 1
    return false
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }
}

function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3
}
