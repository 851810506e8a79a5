import { addHash, emptyState } from '../history/state-checksum.ts'
import { lockPage } from '../util/lock-page.ts'
import { pageHash } from '../util/page-hash.ts'
import { malformed } from './damage.ts'
import type { PageTablePart } from './page-table.ts'
import type { DecodedBlock } from './records-block.ts'
import { op, type SegmentEnd, type SegmentHeader } from './segment.ts'

const unseen = 0
const proved = 1
/** A patch came last, which tells nothing without the page before it. */
const unprovable = 2
const wrong = 3

/** Proves a segment's records against its page table: first all of the table, then all records. */
export class PageProof {
  readonly #header: SegmentHeader
  readonly #end: SegmentEnd
  readonly #pages: Uint32Array
  readonly #hashes: BigUint64Array
  readonly #verdicts: Uint8Array
  /** Slot of the last record of each page. */
  readonly #slots: Uint32Array
  #length = 0
  #previousPage = 0
  #rawBytes = 0
  #next = 0

  constructor(header: SegmentHeader, end: SegmentEnd, tableEntries: number) {
    this.#header = header
    this.#end = end
    this.#pages = new Uint32Array(tableEntries)
    this.#hashes = new BigUint64Array(tableEntries)
    this.#verdicts = new Uint8Array(tableEntries)
    this.#slots = new Uint32Array(tableEntries)
  }

  /** @throws INTEGRITY (without an object) */
  addTable({ pages, hashes }: PageTablePart): void {
    const last = this.#length === 0 ? 0 : (this.#pages[this.#length - 1] ?? 0)
    if ((pages[0] ?? 0) <= last) throw malformed('its pages do not follow those of the block before')
    if ((pages.at(-1) ?? 0) > this.#end.pageCount) throw malformed('it lists a page beyond the last')
    this.#pages.set(pages, this.#length)
    this.#hashes.set(hashes, this.#length)
    this.#length += pages.length
  }

  /** @throws INTEGRITY (without an object) */
  addRecords(block: DecodedBlock): void {
    const { kind, pageSize } = this.#header
    let offset = 0
    block.pages.forEach((page, at) => {
      const length = block.lengths[at] ?? 0
      const value = block.values.subarray(offset, offset + length)
      const isFull = block.ops[at] === op.full
      offset += length
      if (kind !== 'log' && page <= this.#previousPage)
        throw malformed(`page ${page} follows page ${this.#previousPage}`)
      if (kind === 'base' && !isFull) throw malformed(`a base has a patch, of page ${page}`)
      if (page === lockPage(pageSize)) throw malformed(`it holds page ${page}, the lock page`)
      this.#previousPage = page
      this.#judge(page, block.slot, isFull ? pageHash(page, value) : undefined)
    })
    this.#rawBytes += offset
  }

  /** What is wrong with the whole, once everything was added. */
  finish(rawBytes: number): { slot: number | undefined; message: string }[] {
    const complaints: { slot: number | undefined; message: string }[] = []
    this.#verdicts.forEach((verdict, at) => {
      const page = this.#pages[at]
      if (verdict === wrong) complaints.push({ slot: this.#slots[at], message: `page ${page} does not match its hash` })
      if (verdict === unseen)
        complaints.push({ slot: undefined, message: `page ${page} is in the page table and has no record` })
    })
    const whole = (message: string) => complaints.push({ slot: undefined, message })
    if (this.#rawBytes !== rawBytes) whole(`its records have ${this.#rawBytes} bytes instead of ${rawBytes}`)
    if (this.#header.kind !== 'base') return complaints
    const { pageCount, endState } = this.#end
    const expected = pageCount - (pageCount >= lockPage(this.#header.pageSize) ? 1 : 0)
    if (this.#length !== expected) whole(`it has ${this.#length} pages instead of ${expected}`)
    if (this.#hashes.reduce(addHash, emptyState) !== endState) whole('its pages do not add up to its state checksum')
    return complaints
  }

  #judge(page: number, slot: number, hash: bigint | undefined): void {
    const index = this.#find(page)
    if (index === undefined) {
      // A log may hold pages that a later commit cut off.
      if (this.#header.kind === 'log' && page > this.#end.pageCount) return
      throw malformed(`page ${page} is not in the page table`)
    }
    this.#slots[index] = slot
    this.#verdicts[index] = hash === undefined ? unprovable : hash === this.#hashes[index] ? proved : wrong
  }

  #find(page: number): number | undefined {
    const guess = this.#next
    if (this.#pages[guess] === page) {
      this.#next = guess + 1
      return guess
    }
    let [low, high] = [0, this.#length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#pages[middle] ?? 0) < page) low = middle + 1
      else high = middle
    }
    if (low === this.#length || this.#pages[low] !== page) return undefined
    this.#next = low + 1
    return low
  }
}
