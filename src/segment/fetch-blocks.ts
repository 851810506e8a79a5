import { availableParallelism } from 'node:os'
import { HoldfastError } from '../errors.ts'
import { hash64 } from '../util/page-hash.ts'
import type { BlockTable } from './block-table.ts'
import type { CodecPool } from './codec.ts'
import { blockRegion, malformed, nameDamage, throwIfAborted } from './damage.ts'
import { maxRangeRead } from './limits.ts'
import type { OpenedSegment } from './opened-segment.ts'
import { orderedMap } from './ordered-map.ts'
import { RegionStream } from './segment-input.ts'

const rangesAtOnce = 3

export interface FetchOptions {
  /** Blocks decompressed at once; default twice the number of cores, at most 16. */
  readonly concurrency?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A block's stored bytes or payload, or how it is damaged. */
export interface Fetched {
  readonly slot: number
  readonly bytes: Uint8Array | HoldfastError
}

/**
 * The payloads of blocks, in the order of `slots` (ascending). Neighbours come in one range read of up to 8 MiB, three ranges at
 * once, so memory stays below about 40 MiB. Damage is in the results; only other failures are thrown.
 */
export async function* fetchPayloads(
  segment: OpenedSegment,
  codecs: CodecPool,
  slots: Iterable<number>,
  options: FetchOptions,
): AsyncGenerator<Fetched, void, undefined> {
  const concurrency = options.concurrency ?? Math.min(16, 2 * availableParallelism())
  const stored = storedBlocks(segment, slots, options.signal)
  yield* orderedMap(stored, concurrency, async ({ slot, bytes }) => {
    if (bytes instanceof HoldfastError) return { slot, bytes }
    try {
      checkStoredBlock(segment.blocks, slot, bytes)
      const opened = segment.sealer.open(slot, bytes)
      return {
        slot,
        bytes: await codecs.decompress(segment.blocks.codec(slot), opened, segment.blocks.rawLength(slot)),
      }
    } catch (error) {
      return { slot, bytes: damageOf(segment, slot, error) }
    }
  })
}

/** @throws INTEGRITY (without an object) */
export function checkStoredBlock(blocks: BlockTable, slot: number, stored: Uint8Array): void {
  if (hash64(stored, BigInt(slot)) !== blocks.checksum(slot)) throw malformed('it does not match its checksum')
}

/** The failure, naming the block, if it is damage. @throws any other failure */
export function damageOf(segment: OpenedSegment, slot: number, thrown: unknown): HoldfastError {
  const { blocks, object } = segment
  const error = nameDamage(thrown, object, blockRegion(slot, blocks.offset(slot), blocks.storedLength(slot)))
  if (error.code !== 'INTEGRITY') throw error
  return error
}

async function* storedBlocks(
  segment: OpenedSegment,
  slots: Iterable<number>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Fetched, void, undefined> {
  const runs = orderedMap(runsOf(segment.blocks, slots), rangesAtOnce, (run) => readRun(segment, run, signal))
  for await (const run of runs) yield* run
}

async function readRun(segment: OpenedSegment, run: Run, signal: AbortSignal | undefined): Promise<Fetched[]> {
  throwIfAborted(signal, segment.object)
  const { blocks, input } = segment
  const stream = new RegionStream(input.read(blocks.offset(run.first), run.length, { signal }))
  const fetched: Fetched[] = []
  try {
    for (let slot = run.first; slot <= run.last; slot++) {
      fetched.push({ slot, bytes: await takeBlock(segment, stream, slot) })
    }
    return fetched
  } finally {
    await stream.close()
  }
}

export async function takeBlock(
  segment: OpenedSegment,
  stream: RegionStream,
  slot: number,
): Promise<Uint8Array | HoldfastError> {
  try {
    return await stream.take(segment.blocks.storedLength(slot))
  } catch (error) {
    return damageOf(segment, slot, error)
  }
}

interface Run {
  readonly first: number
  readonly last: number
  readonly length: number
}

function* runsOf(blocks: BlockTable, slots: Iterable<number>): Generator<Run> {
  let run: Run | undefined
  for (const slot of slots) {
    const length = blocks.storedLength(slot)
    if (run !== undefined && slot === run.last + 1 && run.length + length <= maxRangeRead) {
      run = { first: run.first, last: slot, length: run.length + length }
      continue
    }
    if (run !== undefined) yield run
    run = { first: slot, last: slot, length }
  }
  if (run !== undefined) yield run
}
