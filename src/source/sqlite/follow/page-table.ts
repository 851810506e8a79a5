import { addHash, emptyState, removeHash, type StateChecksum } from '../../../history/state-checksum.ts'
import { lockPage } from '../../../util/lock-page.ts'
import type { Transaction } from './transaction.ts'

/** The state at the last commit taken: the hash of each page, and where its newest version stands in the log. */
export class PageTable {
  readonly #lockPage: number
  #hashes: BigUint64Array
  /** Frame of page `p` at index `p`; 0, or beyond the end: the log does not hold it. */
  #frames: Uint32Array
  #pageCount: number
  #state: StateChecksum

  /** `frames` may be empty: then all of the state is in the database file. */
  constructor(
    pageSize: number,
    state: { readonly pageCount: number; readonly hashes: BigUint64Array; readonly frames: Uint32Array },
  ) {
    this.#lockPage = lockPage(pageSize)
    this.#hashes = state.hashes.slice(0, state.pageCount)
    this.#frames = state.frames
    this.#pageCount = state.pageCount
    this.#state = sumOf(this.#hashes, this.#lockPage)
  }

  get pageCount(): number {
    return this.#pageCount
  }

  get state(): StateChecksum {
    return this.#state
  }

  hash(page: number): bigint {
    return this.#hashes[page - 1] ?? 0n
  }

  /** 0 if the log does not hold the page. */
  frame(page: number): number {
    return this.#frames[page] ?? 0
  }

  /** The log was reset; all that it held is in the database file. */
  forgetFrames(): void {
    this.#frames = new Uint32Array(0)
  }

  /** Pages that did not exist before must all be in the transaction that makes them. The lock page never is. */
  missingPages(transaction: Transaction): number {
    const { pages, pageCount } = transaction
    if (pageCount <= this.#pageCount) return 0
    const hasLockPage = this.#lockPage > this.#pageCount && this.#lockPage <= pageCount
    const wanted = pageCount - this.#pageCount - (hasLockPage ? 1 : 0)
    let found = 0
    for (let index = pages.length - 1; index >= 0 && (pages[index] ?? 0) > this.#pageCount; index--) found++
    return wanted - found
  }

  /** Takes a transaction's pages over; `hashes` in the order of its pages. */
  apply(transaction: Transaction, hashes: BigUint64Array): void {
    const { pages, frames, pageCount } = transaction
    const formerCount = this.#pageCount
    this.#reserve(pageCount)
    let state = this.#state
    for (let index = 0; index < pages.length; index++) {
      const page = pages[index] ?? 0
      const hash = hashes[index] ?? 0n
      if (page <= formerCount) state = removeHash(state, this.hash(page))
      state = addHash(state, hash)
      this.#hashes[page - 1] = hash
      this.#frames[page] = frames[index] ?? 0
    }
    for (let page = pageCount + 1; page <= formerCount; page++) {
      if (page !== this.#lockPage) state = removeHash(state, this.hash(page))
    }
    this.#pageCount = pageCount
    this.#state = state
  }

  #reserve(pageCount: number): void {
    if (this.#hashes.length < pageCount) {
      const grown = new BigUint64Array(Math.ceil(pageCount * 1.25))
      grown.set(this.#hashes)
      this.#hashes = grown
    }
    if (this.#frames.length <= pageCount) {
      const grown = new Uint32Array(Math.ceil(pageCount * 1.25) + 1)
      grown.set(this.#frames)
      this.#frames = grown
    }
  }
}

function sumOf(hashes: BigUint64Array, lockPageNumber: number): StateChecksum {
  let state = emptyState
  for (const hash of hashes) state = addHash(state, hash)
  const counted = hashes[lockPageNumber - 1]
  return counted === undefined ? state : removeHash(state, counted)
}
