import { endianness } from 'node:os'

/** One commit, as the log holds it: each page once, ascending, with the last of its frames. */
export interface Transaction {
  readonly firstFrame: number
  readonly lastFrame: number
  /** Pages of the database after it. */
  readonly pageCount: number
  /** Running checksum of the log at its last frame. */
  readonly checksum: readonly [number, number]
  readonly pages: Uint32Array
  readonly frames: Uint32Array
}

/** Where the page number stands in the two words of an entry, so that entries sort as 64-bit numbers by page, then frame. */
const [frameWord, pageWord] = endianness() === 'LE' ? [0, 1] : [1, 0]

const fewWords = 32

/** Collects the frames of a transaction: eight bytes each, so that it may be larger than memory. */
export class FrameList {
  #words = new Uint32Array(fewWords)
  #length = 0
  #lastPage = 0
  #ascends = true

  clear(): void {
    this.#length = 0
    this.#lastPage = 0
    this.#ascends = true
  }

  /** Lets go of the memory that a large transaction took. */
  release(): void {
    this.clear()
    if (this.#words.length > fewWords) this.#words = new Uint32Array(fewWords)
  }

  add(page: number, frame: number): void {
    const start = 2 * this.#length
    if (start === this.#words.length) {
      const grown = new Uint32Array(2 * this.#words.length)
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words[start + frameWord] = frame
    this.#words[start + pageWord] = page
    this.#length++
    if (page <= this.#lastPage) this.#ascends = false
    this.#lastPage = page
  }

  /** The newest frame of each page up to `pageCount`; a page beyond was written and then cut off by the same transaction. */
  newest(pageCount: number, except: number): { readonly pages: Uint32Array; readonly frames: Uint32Array } {
    if (!this.#ascends) new BigUint64Array(this.#words.buffer, 0, this.#length).sort()
    const pages = new Uint32Array(this.#length)
    const frames = new Uint32Array(this.#length)
    let count = 0
    for (let index = 0; index < this.#length; index++) {
      const page = this.#words[2 * index + pageWord] ?? 0
      if (page > pageCount || page === except) continue
      if (count > 0 && pages[count - 1] === page) count--
      pages[count] = page
      frames[count] = this.#words[2 * index + frameWord] ?? 0
      count++
    }
    return { pages: pages.subarray(0, count), frames: frames.subarray(0, count) }
  }
}
