import { availableParallelism } from 'node:os'
import { HoldfastError } from '../errors.ts'
import { hash64 } from '../util/page-hash.ts'
import type { BlockTable } from './block-table.ts'
import type { CodecPool } from './codec.ts'
import { malformed } from './damage.ts'
import type { OpenedSegment } from './opened-segment.ts'
import { orderedMap } from './ordered-map.ts'
import { damageOf, type StoredBlock, storedBlocks } from './stored-blocks.ts'

export interface FetchOptions {
  /** Blocks decompressed at once; default twice the number of cores, at most 16. */
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A block's payload. */
export type Fetched = StoredBlock

/**
 * The payloads of blocks, in the order of `slots` (ascending). Memory stays below about 20 MiB if they are released. Damage is in
 * the results; only other failures are thrown.
 */
export async function* fetchPayloads(
  segment: OpenedSegment,
  codecs: CodecPool,
  slots: Iterable<number>,
  options: FetchOptions,
): AsyncGenerator<Fetched, void, undefined> {
  const concurrency = options.concurrency ?? Math.min(16, 2 * availableParallelism())
  const stored = storedBlocks(segment, slots, options.signal)
  yield* orderedMap(stored, concurrency, (block) => openBlock(segment, codecs, block))
}

async function openBlock(segment: OpenedSegment, codecs: CodecPool, block: StoredBlock): Promise<Fetched> {
  const { slot, bytes, release } = block
  if (bytes instanceof HoldfastError) return block
  try {
    checkStoredBlock(segment.blocks, slot, bytes)
    const opened = segment.sealer.open(slot, bytes)
    const codec = segment.blocks.codec(slot)
    const payload = await codecs.decompress(codec, opened, segment.blocks.rawLength(slot))
    // What was not compressed lies where it was read.
    if (codec === 'none') return { slot, bytes: payload, release }
    release()
    return { slot, bytes: payload, release: () => codecs.recycle(payload) }
  } catch (error) {
    return { slot, bytes: damageOf(segment, slot, error), release }
  }
}

/** @throws INTEGRITY (without an object) */
export function checkStoredBlock(blocks: BlockTable, slot: number, stored: Uint8Array): void {
  if (hash64(stored, BigInt(slot)) !== blocks.checksum(slot)) throw malformed('it does not match its checksum')
}
