/**
 * Applies the records of a log, or of a delta with patches, on what stands in the target already. Pages change in memory, where
 * many commits to one page cost one write; the memory is bounded, however many segments there are.
 */
import type { ChainLink } from '../repository/chain.ts'
import { noSegment, type PageHashes } from '../repository/page-hashes.ts'
import { applyPatch } from '../segment/patch.ts'
import type { DecodedBlock } from '../segment/read-segment.ts'
import { op } from '../segment/segment.ts'
import type { RestoreTarget } from '../source/target.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { HeldPages } from './held-pages.ts'

const heldBytes = 32 * 1024 * 1024
const writeBytes = 1024 * 1024
/** A block may patch tens of thousands of pages by some bytes each: of whole pages, so many are taken up at once. */
const takenBytes = 8 * 1024 * 1024

export interface InOrderOptions extends OperationOptions {
  readonly concurrency?: number | undefined
  /** Records applied so far, of all of this segment that are to be. */
  readonly onApplied?: ((records: number, total: number) => void) | undefined
}

export class InOrderPages {
  readonly #target: Pick<RestoreTarget, 'write' | 'read'>
  readonly #pageSize: number
  readonly #table: PageHashes
  readonly #pages: HeldPages
  pagesWritten = 0

  constructor(target: Pick<RestoreTarget, 'write' | 'read'>, pageSize: number, table: PageHashes) {
    this.#target = target
    this.#pageSize = pageSize
    this.#table = table
    this.#pages = new HeldPages(pageSize)
  }

  /** @throws INTEGRITY, STORAGE_*, DISK_FULL, ABORTED */
  async apply(link: Pick<ChainLink, 'reader' | 'records'>, index: number, options: InOrderOptions = {}): Promise<void> {
    let left = link.records
    if (left === 0) return
    for await (const block of link.reader.records({ concurrency: options.concurrency, signal: options.signal })) {
      const count = Math.min(left, block.pages.length)
      await this.#applyBlock(block, count, (page) => this.#isWanted(page, index))
      block.release?.()
      left -= count
      options.onApplied?.(link.records - left, link.records)
      if (left === 0) return
    }
  }

  /** Writes all changed pages out; what follows may then write the same pages directly. */
  async flush(): Promise<void> {
    const numbers = this.#pages.numbers()
    const perWrite = Math.max(1, Math.floor(writeBytes / this.#pageSize))
    const memory = new Uint8Array(Math.min(numbers.length, perWrite) * this.#pageSize)
    for (let start = 0; start < numbers.length; start += perWrite) {
      const pages = numbers.subarray(start, start + perWrite)
      for (const [i, page] of pages.entries()) {
        const held = this.#pages.get(page)
        if (held !== undefined) memory.set(held, i * this.#pageSize)
      }
      await this.#target.write(pages, memory.subarray(0, pages.length * this.#pageSize))
      this.pagesWritten += pages.length
    }
    this.#pages.clear()
  }

  /** What a later segment sets whole, or cuts off for good, need not be followed. */
  #isWanted(page: number, index: number): boolean {
    const setBy = this.#table.setBy[page - 1]
    return setBy !== undefined && (setBy === noSegment || setBy < index)
  }

  async #applyBlock(block: DecodedBlock, count: number, wanted: (page: number) => boolean): Promise<void> {
    let offset = 0
    for (let start = 0; start < count; ) {
      const end = await this.#load(block, start, count, wanted)
      for (let i = start; i < end; i += 1) {
        const length = block.lengths[i] ?? 0
        const page = block.pages[i] ?? 0
        if (wanted(page)) this.#change(page, block.ops[i] === op.full, block.values.subarray(offset, offset + length))
        offset += length
      }
      if (this.#pages.bytes >= heldBytes) await this.flush()
      start = end
    }
  }

  #change(page: number, isFull: boolean, value: Uint8Array): void {
    const held = isFull ? undefined : this.#pages.get(page)
    if (held === undefined) this.#pages.set(page, value)
    else applyPatch(held, value)
  }

  /** Reads the pages that the block's next records patch before they set them. Returns the index after the last of these records. */
  async #load(block: DecodedBlock, start: number, count: number, wanted: (page: number) => boolean): Promise<number> {
    const missing = new Set<number>()
    const set = new Set<number>()
    let end = start
    for (; end < count && (missing.size + set.size) * this.#pageSize < takenBytes; end += 1) {
      const page = block.pages[end] ?? 0
      if (this.#pages.has(page) || set.has(page) || !wanted(page)) continue
      if (block.ops[end] === op.full) set.add(page)
      else missing.add(page)
    }
    if (missing.size === 0) return end
    const pages = Uint32Array.from(missing).sort()
    const values = await this.#target.read(pages)
    for (const [i, page] of pages.entries()) {
      this.#pages.set(page, values.subarray(i * this.#pageSize, (i + 1) * this.#pageSize))
    }
    return end
  }
}
