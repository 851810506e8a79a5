import { addHash, emptyState, type StateChecksum } from '../history/state-checksum.ts'

/** The hash of every page of the newest state that is kept: what a healing delta is made by. Eight bytes a page. */
export class PageHashTable {
  #hashes: BigUint64Array
  #pageCount: number

  constructor(hashes: BigUint64Array = new BigUint64Array(0)) {
    this.#hashes = hashes
    this.#pageCount = hashes.length
  }

  get pageCount(): number {
    return this.#pageCount
  }

  /** Undefined for a page that does not exist. */
  get(page: number): bigint | undefined {
    return page <= this.#pageCount ? this.#hashes[page - 1] : undefined
  }

  set(pages: Uint32Array, hashes: BigUint64Array): void {
    pages.forEach((page, at) => {
      this.#hashes[page - 1] = hashes[at] ?? 0n
    })
  }

  /** Pages beyond it cease to exist; new ones have hash 0 until they are set, as the lock page has for ever. */
  resize(pageCount: number): void {
    if (pageCount > this.#hashes.length) {
      const grown = new BigUint64Array(Math.max(pageCount, Math.ceil(this.#hashes.length * 1.25)))
      grown.set(this.#hashes.subarray(0, this.#pageCount))
      this.#hashes = grown
    } else this.#hashes.fill(0n, Math.min(pageCount, this.#pageCount), Math.max(pageCount, this.#pageCount))
    this.#pageCount = pageCount
  }

  /** The hashes of all pages, to keep. */
  copy(): BigUint64Array {
    return this.#hashes.slice(0, this.#pageCount)
  }

  get state(): StateChecksum {
    let state = emptyState
    for (let at = 0; at < this.#pageCount; at += 1) state = addHash(state, this.#hashes[at] ?? 0n)
    return state
  }
}
