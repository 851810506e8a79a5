/** Fetches from each segment of a chain only the blocks that hold a wanted page's newest content, and writes that. */
import { HoldfastError } from '../errors.ts'
import type { Chain } from '../repository/chain.ts'
import type { PageHashes } from '../repository/page-hashes.ts'
import { blockType } from '../segment/block-type.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import type { DecodedBlock } from '../segment/records-block.ts'
import { op } from '../segment/segment.ts'
import type { RestoreTarget } from '../source/target.ts'

export interface FetchOptions {
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of pages written so far. */
  readonly onWritten: (bytes: number) => void
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

export async function fetchPages(
  chain: Chain,
  table: PageHashes,
  wanted: WantedPages,
  target: Pick<RestoreTarget, 'write'>,
  options: FetchOptions,
): Promise<Fetched> {
  let pages = 0
  let bytesFetched = 0
  for (const [index, { reader, segment }] of chain.links.entries()) {
    const slots = blocksWith(reader, (page) => wanted[page - 1] === 1 && table.setBy[page - 1] === index)
    for (const slot of slots) bytesFetched += reader.blocks.storedLength(slot)
    const writes = new Set<Promise<void>>()
    let failure: unknown
    for await (const block of reader.records({
      blocks: slots,
      concurrency: options.concurrency,
      signal: options.signal,
    })) {
      const own = ownPages(
        block,
        chain.pageSize,
        (page) => wanted[page - 1] === 1 && table.setBy[page - 1] === index,
        segment.key,
      )
      if (own.pages.length === 0) continue
      const write = target.write(own.pages, own.values).then(
        () => {
          pages += own.pages.length
          options.onWritten(pages * chain.pageSize)
        },
        (error: unknown) => {
          failure ??= error
        },
      )
      writes.add(write)
      void write.finally(() => writes.delete(write))
      if (writes.size >= writesInFlight) await Promise.race(writes)
      if (failure !== undefined) break
    }
    await Promise.all(writes)
    if (failure !== undefined) throw failure
  }
  return { pages, bytesFetched }
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

function ownPages(
  block: DecodedBlock,
  pageSize: number,
  needed: (page: number) => boolean,
  key: string,
): { pages: Uint32Array; values: Uint8Array } {
  const kept: number[] = []
  for (let i = 0; i < block.pages.length; i += 1) {
    if (block.ops[i] !== op.full)
      throw new HoldfastError(
        'FORMAT_TOO_NEW',
        `The segment ${key} holds patches, which this version does not restore from.`,
        { object: key },
      )
    if (needed(block.pages[i] ?? 0)) kept.push(i)
  }
  if (kept.length === block.pages.length) return block
  const values = new Uint8Array(kept.length * pageSize)
  for (const [to, from] of kept.entries())
    values.set(block.values.subarray(from * pageSize, (from + 1) * pageSize), to * pageSize)
  return { pages: Uint32Array.from(kept, (i) => block.pages[i] ?? 0), values }
}
