import { HoldfastError } from '../errors.ts'
import { addHash, emptyState, formatState } from '../history/state-checksum.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { Chain } from './chain.ts'

/** For each page of a state, its hash and which segment of the chain last set it. Entry `page - 1`. */
export interface PageHashes {
  /** 0 for the lock page, which has none. */
  readonly hashes: BigUint64Array
  /** Index into the chain's links; `noSegment` for the lock page. */
  readonly setBy: Uint16Array
}

export const noSegment = 0xffff

/**
 * Reads only indexes: so an incremental backup needs no earlier copy on disk, and a restore fetches only what it uses.
 * The sum of the hashes is compared with the chain's state. @throws INTEGRITY, STORAGE_*
 */
export async function readPageHashes(chain: Chain, options: OperationOptions = {}): Promise<PageHashes> {
  const largest = Math.max(...chain.links.map(({ reader }) => reader.end.pageCount))
  const hashes = new BigUint64Array(largest)
  const setBy = new Uint16Array(largest).fill(noSegment)
  if (chain.links.length >= noSegment)
    throw new HoldfastError('INTERNAL', `A chain of ${chain.links.length} segments is too long.`)
  for (const [index, { reader, segment }] of chain.links.entries()) {
    for await (const table of reader.pageTable(options)) {
      for (let i = 0; i < table.pages.length; i += 1) {
        const page = table.pages[i] ?? 0
        if (page < 1 || page > reader.end.pageCount) {
          throw new HoldfastError(
            'INTEGRITY',
            `The segment ${segment.key} names page ${page} of a database of ${reader.end.pageCount}.`,
            { object: segment.key },
          )
        }
        hashes[page - 1] = table.hashes[i] ?? 0n
        setBy[page - 1] = index
      }
    }
    // A page beyond the page count ceases to exist, and does not come back when the database grows again.
    hashes.fill(0n, reader.end.pageCount)
    setBy.fill(noSegment, reader.end.pageCount)
  }
  let state = emptyState
  for (let i = 0; i < chain.pageCount; i += 1) state = addHash(state, hashes[i] ?? 0n)
  if (state !== chain.state) {
    const last = chain.links.at(-1)?.segment.key
    throw new HoldfastError(
      'INTEGRITY',
      `The page hashes of the chain that ends in ${last} add up to ${formatState(state)}, not to its state ${formatState(chain.state)}.`,
      { object: last },
    )
  }
  return { hashes: hashes.subarray(0, chain.pageCount), setBy: setBy.subarray(0, chain.pageCount) }
}
