/** Fetches from each segment of a chain only the blocks that hold a wanted page's newest content, and writes that. */
import type { Chain } from '../repository/chain.ts'
import { appliesInOrder, type PageHashes } from '../repository/page-hashes.ts'
import { blockType } from '../segment/block-type.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import type { DecodedBlock } from '../segment/records-block.ts'
import type { RestoreTarget } from '../source/target.ts'
import { InOrderPages } from './apply-in-order.ts'

export interface FetchOptions {
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of pages written so far, without those that logs change. */
  readonly onWritten: (bytes: number) => void
  /** Records of the present log applied so far, of all that lead to the wanted state. */
  readonly onApplied?: ((records: number, total: number) => void) | undefined
}

/** Entry `page - 1` is true for each page that must be written. */
export type WantedPages = Uint8Array

export interface Fetched {
  readonly pages: number
  /** Stored bytes of the blocks that were fetched. */
  readonly bytesFetched: number
}

/** Writes this many at once; the blocks behind them are all the memory that a restore takes. */
const writesInFlight = 4

/**
 * Follows the chain in order: pages that a segment sets whole come from the last one that does; what logs and patches change
 * is applied on top, page by page.
 */
export async function fetchPages(
  chain: Chain,
  table: PageHashes,
  wanted: WantedPages,
  target: Pick<RestoreTarget, 'write' | 'read'>,
  options: FetchOptions,
): Promise<Fetched> {
  const { pageSize } = chain
  const fetched = { pages: 0, bytesFetched: 0 }
  const inOrder = new InOrderPages(target, pageSize, table)
  for (const [index, link] of chain.links.entries()) {
    if (appliesInOrder(link)) {
      fetched.bytesFetched += link.reader.totals.storedBytes
      await inOrder.apply(link, index, options)
      continue
    }
    await inOrder.flush()
    const needed = (page: number) => wanted[page - 1] === 1 && table.setBy[page - 1] === index
    fetched.bytesFetched += await fetchWhole(link.reader, needed, options, async (block) => {
      const own = ownPages(block, pageSize, needed)
      if (own.pages.length > 0) await target.write(own.pages, own.values)
      block.release?.()
      if (own.pages.length === 0) return
      fetched.pages += own.pages.length
      options.onWritten(fetched.pages * pageSize)
    })
  }
  await inOrder.flush()
  return { ...fetched, pages: fetched.pages + inOrder.pagesWritten }
}

/** Reads the blocks with a needed page, and hands them on, several at once. Returns their stored bytes. */
async function fetchWhole(
  reader: SegmentReader,
  needed: (page: number) => boolean,
  { concurrency, signal }: FetchOptions,
  write: (block: DecodedBlock) => Promise<void>,
): Promise<number> {
  const slots = blocksWith(reader, needed)
  const writes = new Set<Promise<void>>()
  let failure: unknown
  for await (const block of reader.records({ blocks: slots, concurrency, signal })) {
    const writing = write(block)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => writes.delete(writing))
    writes.add(writing)
    if (writes.size >= writesInFlight) await Promise.race(writes)
    if (failure !== undefined) break
  }
  await Promise.all(writes)
  if (failure !== undefined) throw failure
  return slots.reduce((bytes, slot) => bytes + reader.blocks.storedLength(slot), 0)
}

/** Slots of the record blocks in which at least one page is needed. Pages ascend over the blocks of a base or delta. */
function blocksWith(reader: SegmentReader, needed: (page: number) => boolean): number[] {
  const slots = [...reader.blocks.slots(blockType.records)]
  return slots.filter((slot, i) => {
    const next = slots[i + 1]
    const end = next === undefined ? reader.end.pageCount + 1 : reader.blocks.firstKey(next)
    for (let page = reader.blocks.firstKey(slot); page < end; page += 1) if (needed(page)) return true
    return false
  })
}

/** The needed pages of a block that has no patches. */
function ownPages(
  block: DecodedBlock,
  pageSize: number,
  needed: (page: number) => boolean,
): { pages: Uint32Array; values: Uint8Array } {
  const kept: number[] = []
  for (let i = 0; i < block.pages.length; i += 1) if (needed(block.pages[i] ?? 0)) kept.push(i)
  if (kept.length === block.pages.length) return block
  const values = new Uint8Array(kept.length * pageSize)
  for (const [to, from] of kept.entries())
    values.set(block.values.subarray(from * pageSize, (from + 1) * pageSize), to * pageSize)
  return { pages: Uint32Array.from(kept, (i) => block.pages[i] ?? 0), values }
}
