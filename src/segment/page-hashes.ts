import { endianness } from 'node:os'

/** Where page and index stand in the two words of an entry, so that entries sort as 64-bit numbers by page. */
const [indexWord, pageWord] = endianness() === 'LE' ? [0, 1] : [1, 0]

/**
 * Pages and the hash of each, twelve bytes a page, growing. `add` keeps the newest hash of a page; where pages ascend,
 * `append` does without looking.
 */
export class PageHashes {
  #pages = new Uint32Array(1024)
  #hashes = new BigUint64Array(1024)
  #length = 0
  /** Open addressing: one more than the index into `#pages`, 0 for none. At most half full. */
  #slots = new Uint32Array(0)

  append(pages: Uint32Array, hashes: BigUint64Array): void {
    this.#reserve(this.#length + pages.length)
    this.#pages.set(pages, this.#length)
    this.#hashes.set(hashes, this.#length)
    this.#length += pages.length
  }

  add(pages: Uint32Array, hashes: BigUint64Array): void {
    for (let at = 0; at < pages.length; at++) {
      const page = pages[at] ?? 0
      if (this.#slots.length < 2 * (this.#length + 1)) this.#rehash()
      const slot = this.#slotOf(page)
      const found = (this.#slots[slot] ?? 0) - 1
      if (found >= 0) {
        this.#hashes[found] = hashes[at] ?? 0n
      } else {
        this.#reserve(this.#length + 1)
        this.#pages[this.#length] = page
        this.#hashes[this.#length] = hashes[at] ?? 0n
        this.#length++
        this.#slots[slot] = this.#length
      }
    }
  }

  /** Everything, ascending by page, pages beyond `pageCount` left out. */
  sorted(pageCount: number): { pages: Uint32Array; hashes: BigUint64Array } {
    const pages = this.#pages.subarray(0, this.#length)
    const hashes = this.#hashes.subarray(0, this.#length)
    if (isAscending(pages) && (pages.at(-1) ?? 0) <= pageCount) return { pages, hashes }
    const pairs = new Uint32Array(2 * pages.length)
    let count = 0
    for (let index = 0; index < pages.length; index++) {
      const page = pages[index] ?? 0
      if (page > pageCount) continue
      pairs[2 * count + pageWord] = page
      pairs[2 * count + indexWord] = index
      count++
    }
    // Numbers sort ten times as fast as by a function that compares.
    new BigUint64Array(pairs.buffer, 0, count).sort()
    const sorted = { pages: new Uint32Array(count), hashes: new BigUint64Array(count) }
    for (let at = 0; at < count; at++) {
      sorted.pages[at] = pairs[2 * at + pageWord] ?? 0
      sorted.hashes[at] = hashes[pairs[2 * at + indexWord] ?? 0] ?? 0n
    }
    return sorted
  }

  #slotOf(page: number): number {
    const mask = this.#slots.length - 1
    let slot = (Math.imul(page, 0x9e37_79b1) >>> 0) & mask
    for (;;) {
      const index = this.#slots[slot] ?? 0
      if (index === 0 || this.#pages[index - 1] === page) return slot
      slot = (slot + 1) & mask
    }
  }

  #rehash(): void {
    this.#slots = new Uint32Array(Math.max(1024, this.#slots.length * 2))
    for (let index = 0; index < this.#length; index++) this.#slots[this.#slotOf(this.#pages[index] ?? 0)] = index + 1
  }

  #reserve(length: number): void {
    if (length <= this.#pages.length) return
    const capacity = Math.max(length, this.#pages.length * 2)
    // Moves the memory rather than copying it; what is not written to yet takes none.
    this.#pages = new Uint32Array(this.#pages.buffer.transfer(capacity * Uint32Array.BYTES_PER_ELEMENT))
    this.#hashes = new BigUint64Array(this.#hashes.buffer.transfer(capacity * BigUint64Array.BYTES_PER_ELEMENT))
  }
}

function isAscending(pages: Uint32Array): boolean {
  for (let at = 1; at < pages.length; at++) if ((pages[at] ?? 0) <= (pages[at - 1] ?? 0)) return false
  return true
}
