import { HoldfastError } from '../errors.ts'
import { damaged, nameDamage, throwIfAborted } from './damage.ts'
import type { CheckOptions, CheckProgress, SegmentDamage } from './damage-report.ts'
import { checkStoredBlock } from './fetch-blocks.ts'
import { headerLength, trailerLength } from './limits.ts'
import type { OpenedSegment } from './opened-segment.ts'
import { RegionStream } from './segment-input.ts'
import { damageOf, takeBlock } from './stored-blocks.ts'
import { checkRoot, decodeTrailer } from './trailer.ts'

/** See `SegmentReader.checkStored`. */
export async function* checkStored(
  segment: OpenedSegment,
  options: CheckOptions,
): AsyncGenerator<CheckProgress, void, undefined> {
  const { input, blocks, rootOffset } = segment
  const total = input.size
  // Everything is looked at once and forgotten.
  const transient = { transient: true }
  const stream = new RegionStream(input.read(0, total, { signal: options.signal, ...transient }), transient)
  try {
    yield {
      done: headerLength,
      total,
      damage: await checkRegion(segment, 'header', () => checkHeader(segment, stream)),
    }
    for (let slot = 0; slot < blocks.count; slot++) {
      throwIfAborted(options.signal, segment.object)
      const damage = await checkBlock(segment, stream, slot)
      yield { done: blocks.offset(slot) + blocks.storedLength(slot), total, damage }
    }
    const damage = await checkRegion(segment, `index (bytes ${rootOffset} to ${total - 1})`, () =>
      checkTail(segment, stream),
    )
    yield { done: total, total, damage }
  } finally {
    await stream.close()
  }
}

/** The file's first bytes must be those that the root holds a copy of. @throws INTEGRITY */
export async function checkHeader(segment: OpenedSegment, stream: RegionStream): Promise<void> {
  const bytes = await stream.take(headerLength)
  if (Buffer.compare(bytes, segment.headerBytes) !== 0) {
    throw damaged(
      segment.object,
      `header (bytes 0 to ${headerLength - 1})`,
      'it is not the one that the index holds a copy of',
    )
  }
}

/** The index must still be sound on the storage, and be the end. @throws INTEGRITY */
export async function checkTail(segment: OpenedSegment, stream: RegionStream): Promise<void> {
  const root = Uint8Array.from(await stream.take(segment.input.size - trailerLength - segment.rootOffset))
  const trailer = await stream.take(trailerLength)
  decodeTrailer(trailer, segment.input.size)
  checkRoot(root, trailer)
  await stream.finish()
}

/** What a check of a part other than a block found. */
export async function checkRegion(
  segment: OpenedSegment,
  region: string,
  check: () => Promise<void>,
): Promise<SegmentDamage[]> {
  try {
    await check()
    return []
  } catch (thrown) {
    const error = nameDamage(thrown, segment.object, region)
    if (error.code !== 'INTEGRITY') throw error
    return [{ slot: undefined, message: error.message }]
  }
}

async function checkBlock(segment: OpenedSegment, stream: RegionStream, slot: number): Promise<SegmentDamage[]> {
  const stored = await takeBlock(segment, stream, slot)
  if (stored instanceof HoldfastError) return [{ slot, message: stored.message }]
  try {
    checkStoredBlock(segment.blocks, slot, stored)
    return []
  } catch (error) {
    return [{ slot, message: damageOf(segment, slot, error).message }]
  }
}
