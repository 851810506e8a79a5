import { HoldfastError } from '../errors.ts'
import { addHash, emptyState, formatState } from '../history/state-checksum.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { Chain, ChainLink } from './chain.ts'

/** What the indexes of a chain say of each page of its state. Entry `page - 1`. */
export interface PageHashes {
  /** Hash of the page's content; 0 for the lock page, which has none. Right only where `known`. */
  readonly hashes: BigUint64Array
  /** False if a log is left before its end: its index has the hashes at its end only. */
  readonly known: boolean
  /** Index into the chain's links of the last segment that sets the page whole; `noSegment` for the lock page, and for what only logs set. */
  readonly setBy: Uint16Array
  /** 1 for a page that a later segment changes by steps, commit by commit or by patches. */
  readonly stepped: Uint8Array
}

export const noSegment = 0xffff

/** A log's records, and a delta's patches, mean nothing without the state before them: they are applied in order. */
export function appliesInOrder({ reader }: Pick<ChainLink, 'reader'>): boolean {
  return reader.header.kind === 'log' || reader.totals.hasPatches
}

/**
 * Reads only indexes: so an incremental backup needs no earlier copy on disk, and a restore fetches only what it uses.
 * The sum of the hashes is compared with the chain's state. @throws INTEGRITY, STORAGE_*
 */
export async function readPageHashes(chain: Chain, options: OperationOptions = {}): Promise<PageHashes> {
  const largest = chain.links.reduce((most, { reader, at }) => Math.max(most, reader.end.pageCount, at.pageCount), 0)
  const hashes = new BigUint64Array(largest)
  const setBy = new Uint16Array(largest).fill(noSegment)
  const stepped = new Uint8Array(largest)
  if (chain.links.length >= noSegment)
    throw new HoldfastError('INTERNAL', `A chain of ${chain.links.length} segments is too long.`)
  for (const [index, link] of chain.links.entries()) {
    const { reader, segment, at } = link
    const inOrder = appliesInOrder(link)
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
        stepped[page - 1] = inOrder ? 1 : 0
        if (!inOrder) setBy[page - 1] = index
      }
    }
    // A page beyond the page count ceases to exist, and does not come back when the database grows again.
    hashes.fill(0n, at.pageCount)
    setBy.fill(noSegment, at.pageCount)
    stepped.fill(0, at.pageCount)
  }
  const known = chain.links.every(({ upTo, reader }) => upTo === reader.end.to)
  if (known) assertSum(chain, hashes)
  const { pageCount } = chain
  return {
    hashes: hashes.subarray(0, pageCount),
    known,
    setBy: setBy.subarray(0, pageCount),
    stepped: stepped.subarray(0, pageCount),
  }
}

function assertSum(chain: Chain, hashes: BigUint64Array): void {
  let state = emptyState
  for (let i = 0; i < chain.pageCount; i += 1) state = addHash(state, hashes[i] ?? 0n)
  if (state === chain.state) return
  const last = chain.links.at(-1)?.segment.key
  throw new HoldfastError(
    'INTEGRITY',
    `The page hashes of the chain that ends in ${last} add up to ${formatState(state)}, not to its state ${formatState(chain.state)}.`,
    { object: last },
  )
}
