import { HoldfastError } from '../errors.ts'
import { type BlockSealer, identitySealer } from './block-sealer.ts'
import type { BlockTable } from './block-table.ts'
import { CodecPool } from './codec.ts'
import { malformed, nameDamage } from './damage.ts'
import { decodeHeader } from './header.ts'
import { blockEntryLength, headerLength, rootHeadLength, tailRead, trailerLength } from './limits.ts'
import { decodeRoot } from './root.ts'
import type { SegmentEnd, SegmentHeader, SegmentTotals } from './segment.ts'
import { readRange, type SegmentInput } from './segment-input.ts'
import { checkRoot, decodeTrailer } from './trailer.ts'

export interface OpenSegmentOptions {
  /** How messages name the object; usually its key. */
  readonly object?: string | undefined
  readonly sealer?: BlockSealer | undefined
  /** How much of the object's end is read first, in bytes; default 64 KiB, which holds the whole index of most segments. */
  readonly tailBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A segment's index in memory, and where its blocks can be read. */
export interface OpenedSegment {
  readonly input: SegmentInput
  readonly object: string
  readonly sealer: BlockSealer
  readonly header: SegmentHeader
  /** The root's copy of the file's first bytes. */
  readonly headerBytes: Uint8Array
  readonly end: SegmentEnd
  readonly totals: SegmentTotals
  readonly blocks: BlockTable
  readonly rootOffset: number
}

/** Reads the index from the object's end, with one range read where it fits into the first. */
export async function openIndex(input: SegmentInput, options: OpenSegmentOptions): Promise<OpenedSegment> {
  const object = options.object ?? 'segment'
  try {
    return await readIndex(input, object, options)
  } catch (error) {
    const named = nameDamage(error, object, 'index at its end')
    if (named.code !== 'INTEGRITY') throw named
    throw (await refusal(input, object, options.signal)) ?? named
  }
}

async function readIndex(input: SegmentInput, object: string, options: OpenSegmentOptions): Promise<OpenedSegment> {
  const { size } = input
  const sealer = options.sealer ?? identitySealer
  if (!(size >= headerLength + trailerLength)) throw malformed(`it has only ${size} bytes`)
  const tailLength = Math.min(size, Math.max(trailerLength, options.tailBytes ?? tailRead))
  const tail = await readRange(input, size - tailLength, tailLength, options.signal)
  const trailerBytes = tail.subarray(tailLength - trailerLength)
  const trailer = decodeTrailer(trailerBytes, size)
  const { rootOffset, rootStoredLength, rootRawLength, rootCodec } = trailer
  const inTail = rootOffset - (size - tailLength)
  const stored =
    inTail >= 0
      ? tail.subarray(inTail, inTail + rootStoredLength)
      : await readRange(input, rootOffset, rootStoredLength, options.signal)
  checkRoot(stored, trailerBytes)
  using codecs = new CodecPool()
  const slot = (rootRawLength - rootHeadLength) / blockEntryLength
  // Its own memory: what comes out of the decompressor, or the tail, is a small part of a large buffer that would be kept with it.
  const raw = Uint8Array.from(await codecs.decompress(rootCodec, sealer.open(slot, stored), rootRawLength))
  const root = decodeRoot(raw, rootOffset, sealer.overhead, object)
  return {
    input,
    object,
    sealer,
    header: root.header,
    headerBytes: root.headerBytes,
    end: root.end,
    totals: {
      blocks: root.blocks.count,
      records: root.records,
      rawBytes: root.rawBytes,
      hasPatches: root.hasPatches,
      hasMoves: root.hasMoves,
      storedBytes: size,
    },
    blocks: root.blocks,
    rootOffset,
  }
}

/** A later format may end in ways that we cannot read, but begins so that we can tell. */
async function refusal(
  input: SegmentInput,
  object: string,
  signal: AbortSignal | undefined,
): Promise<HoldfastError | undefined> {
  if (!(input.size >= headerLength)) return undefined
  try {
    decodeHeader(await readRange(input, 0, headerLength, signal), object)
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'INTEGRITY') return undefined
    throw error
  }
  return undefined
}
