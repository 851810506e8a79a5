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
    pages.forEach((page, at) => {
      if (this.#slots.length < 2 * (this.#length + 1)) this.#rehash()
      const slot = this.#slotOf(page)
      const found = (this.#slots[slot] ?? 0) - 1
      if (found >= 0) {
        this.#hashes[found] = hashes[at] ?? 0n
      } else {
        this.append(pages.subarray(at, at + 1), hashes.subarray(at, at + 1))
        this.#slots[slot] = this.#length
      }
    })
  }

  /** Everything, ascending by page, pages beyond `pageCount` left out. */
  sorted(pageCount: number): { pages: Uint32Array; hashes: BigUint64Array } {
    const pages = this.#pages.subarray(0, this.#length)
    const hashes = this.#hashes.subarray(0, this.#length)
    if (isAscending(pages) && (pages.at(-1) ?? 0) <= pageCount) return { pages, hashes }
    const order = Uint32Array.from(pages.keys()).sort((a, b) => (pages[a] ?? 0) - (pages[b] ?? 0))
    const kept = order.filter((index) => (pages[index] ?? 0) <= pageCount)
    return {
      pages: kept.map((index) => pages[index] ?? 0),
      hashes: BigUint64Array.from(kept, (index) => hashes[index] ?? 0n),
    }
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
