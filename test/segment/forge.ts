import { openSegment } from '../../src/segment/read-segment.ts'
import { encodeTrailer } from '../../src/segment/trailer.ts'
import { hash64 } from '../../src/util/page-hash.ts'
import { memoryInput } from './helpers.ts'

/** A place, taken modulo the length, and the byte that it gets. */
export type Edit = readonly [at: number, value: number]

function edited(good: Uint8Array, changes: readonly Edit[]): Uint8Array {
  const bad = Buffer.from(good)
  for (const [at, value] of changes) bad[at % bad.length] = value
  return bad
}

/** Changes the blocks and the root, and makes every checksum right again, as no accident would. */
export async function forge(
  good: Uint8Array,
  blockEdits: readonly Edit[],
  rootEdits: readonly Edit[],
  flags?: number,
): Promise<Uint8Array> {
  const reader = await openSegment(memoryInput(good))
  const { blocks } = reader
  const end = blocks.count === 0 ? 128 : blocks.offset(blocks.count - 1) + blocks.storedLength(blocks.count - 1)
  const body = Buffer.concat([good.subarray(0, 128), edited(good.subarray(128, end), blockEdits)])
  const root = Buffer.alloc(184 + 32 * blocks.count)
  root.writeUInt16LE(1, 0)
  root.writeUInt32LE(blocks.count, 4)
  root.set(good.subarray(0, 128), 8)
  root.writeBigUInt64LE(BigInt(reader.end.to), 136)
  root.writeBigUInt64LE(BigInt(reader.end.lastTime), 144)
  root.writeBigUInt64LE(reader.end.endState, 152)
  root.writeUInt32LE(reader.end.pageCount, 160)
  const { hasPatches, hasMoves } = reader.totals
  root.writeUInt32LE(flags ?? (hasPatches ? 1 : 0) + (hasMoves ? 2 : 0), 164)
  root.writeBigUInt64LE(BigInt(reader.totals.records), 168)
  root.writeBigUInt64LE(BigInt(reader.totals.rawBytes), 176)
  for (let slot = 0; slot < blocks.count; slot++) {
    const at = 184 + 32 * slot
    const stored = body.subarray(blocks.offset(slot), blocks.offset(slot) + blocks.storedLength(slot))
    root.writeUInt8(blocks.type(slot), at)
    root.writeUInt8(['none', 'gzip', 'zstd'].indexOf(blocks.codec(slot)), at + 1)
    root.writeUInt32LE(blocks.storedLength(slot), at + 4)
    root.writeUInt32LE(blocks.rawLength(slot), at + 8)
    root.writeUInt32LE(blocks.entries(slot), at + 12)
    root.writeBigUInt64LE(BigInt(blocks.firstKey(slot)), at + 16)
    root.writeBigUInt64LE(hash64(stored, BigInt(slot)), at + 24)
  }
  const forged = Buffer.from(root)
  for (const [at, value] of rootEdits) if (value % 3 === 0) forged[136 + (at % (root.length - 136))] = value
  const trailer = encodeTrailer(
    { rootOffset: end, rootStoredLength: forged.length, rootRawLength: forged.length, rootCodec: 'none' },
    forged,
  )
  return Buffer.concat([body, forged, trailer])
}
