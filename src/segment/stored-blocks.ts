import type { HoldfastError } from '../errors.ts'
import type { BlockTable } from './block-table.ts'
import { blockRegion, nameDamage, throwIfAborted } from './damage.ts'
import { maxRangeRead } from './limits.ts'
import type { OpenedSegment } from './opened-segment.ts'
import { orderedMap } from './ordered-map.ts'
import { RegionStream } from './segment-input.ts'

const rangesAtOnce = 3
/** Where blocks are tiny, those of a whole range would take far more memory than their bytes. */
const maxRangeBlocks = 256

/** Shorter ranges get memory of just their length, which is left to the garbage collector. */
const leastShared = maxRangeRead / 4

export interface StoredBlock {
  readonly slot: number
  /** Or how it is damaged. */
  readonly bytes: Uint8Array | HoldfastError
  /** Lets the memory of `bytes` be used again; nobody may look at it afterwards. Called at most once, or never. */
  readonly release: () => void
}

/** Neighbouring blocks come in one range read of up to 4 MiB, three ranges at once. */
export async function* storedBlocks(
  segment: OpenedSegment,
  slots: Iterable<number>,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredBlock, void, undefined> {
  const free: Uint8Array[] = []
  const runs = orderedMap(runsOf(segment.blocks, slots), rangesAtOnce, (run) => readRun(segment, run, free, signal))
  for await (const run of runs) yield* run
}

async function readRun(
  segment: OpenedSegment,
  run: Run,
  free: Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<StoredBlock[]> {
  throwIfAborted(signal, segment.object)
  const shared = run.length >= leastShared && run.length <= maxRangeRead
  const memory = (shared ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(shared ? maxRangeRead : run.length)
  let held = run.last - run.first + 1
  const release = () => {
    held--
    if (held === 0 && shared) free.push(memory)
  }
  const transient = { transient: true }
  const read = segment.input.read(segment.blocks.offset(run.first), run.length, { signal, ...transient })
  const stream = new RegionStream(read, transient)
  const blocks: StoredBlock[] = []
  let filled = 0
  try {
    for (let slot = run.first; slot <= run.last; slot++) {
      const taken = await takeBlock(segment, stream, slot)
      if (taken instanceof Uint8Array) memory.set(taken, filled)
      const bytes = taken instanceof Uint8Array ? memory.subarray(filled, filled + taken.length) : taken
      filled += segment.blocks.storedLength(slot)
      blocks.push({ slot, bytes, release })
    }
    return blocks
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

/** The failure, naming the block, if it is damage. @throws any other failure */
export function damageOf(segment: OpenedSegment, slot: number, thrown: unknown): HoldfastError {
  const { blocks, object } = segment
  const error = nameDamage(thrown, object, blockRegion(slot, blocks.offset(slot), blocks.storedLength(slot)))
  if (error.code !== 'INTEGRITY') throw error
  return error
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
    const isFull = run !== undefined && (run.length + length > maxRangeRead || slot - run.first >= maxRangeBlocks)
    if (run !== undefined && slot === run.last + 1 && !isFull) {
      run = { first: run.first, last: slot, length: run.length + length }
      continue
    }
    if (run !== undefined) yield run
    run = { first: slot, last: slot, length }
  }
  if (run !== undefined) yield run
}
