import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HoldfastError } from '../../src/errors.ts'
import { decodeCommits } from '../../src/segment/commit-table.ts'
import { findDamage } from '../../src/segment/damage-report.ts'
import { decodeHeader } from '../../src/segment/header.ts'
import { decodePageTable } from '../../src/segment/page-table.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { decodeRecords } from '../../src/segment/records-block.ts'
import { decodeRoot } from '../../src/segment/root.ts'
import { encodeTrailer } from '../../src/segment/trailer.ts'
import { hash64 } from '../../src/util/page-hash.ts'
import { baseSegment, collect, logSegment, memoryInput, page, write } from './helpers.ts'

/** Runs a parser on bad input: it may succeed, or fail in one of the two permitted ways. */
async function onlyKnownFailures(parse: () => unknown): Promise<void> {
  try {
    await parse()
  } catch (error) {
    assert.ok(error instanceof HoldfastError, `${error}`)
    assert.ok(error.code === 'INTEGRITY' || error.code === 'FORMAT_TOO_NEW', error.code)
  }
}

async function readEverything(bytes: Uint8Array): Promise<void> {
  const reader = await openSegment(memoryInput(bytes))
  await findDamage(reader.checkStored())
  await findDamage(reader.checkContents())
  await collect(reader.records())
  await collect(reader.pageTable())
  await collect(reader.commits())
}

const bytes = fc.uint8Array({ maxLength: 400, size: 'max' })
/** Some bytes replaced, at places that are drawn again and again near the start. */
const edits = fc.array(fc.tuple(fc.oneof(fc.nat(40), fc.nat(100_000)), fc.nat(255)), { minLength: 1, maxLength: 6 })

function edited(good: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const bad = Buffer.from(good)
  for (const [at, value] of changes) bad[at % bad.length] = value
  return bad
}

test('random bytes are refused', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, (input) => onlyKnownFailures(() => readEverything(input))),
    { numRuns: 300 },
  )
})

test('payload parsers survive any bytes and any stated count', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.oneof(fc.nat(20), fc.nat(0xffff_ffff)), async (payload, count) => {
      await onlyKnownFailures(() => decodeRecords(0, payload, count, 512, true))
      await onlyKnownFailures(() => decodePageTable(payload, count))
      await onlyKnownFailures(() => decodeCommits(payload, count))
      await onlyKnownFailures(() => decodeRoot(payload, 5000, 0, 'x'))
      await onlyKnownFailures(() => decodeHeader(payload, 'x'))
    }),
    { numRuns: 500 },
  )
})

for (const codec of ['none', 'gzip', 'zstd'] as const) {
  const samples = [
    baseSegment(9, 512, codec),
    logSegment(
      [
        [
          [1, page(512, 1)],
          [2, page(512, 2)],
        ],
        [[1, page(512, 3)]],
      ],
      { codec },
    ),
  ]

  test(`${codec}: lies with right checksums end in a known failure`, async () => {
    const goods = await Promise.all(samples.map((segment) => write(segment)))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...goods), edits, edits, async (good, blockEdits, rootEdits) => {
        await onlyKnownFailures(async () => readEverything(await forge(good, blockEdits, rootEdits)))
      }),
      { numRuns: 150 },
    )
  })
}

/** Changes the blocks and the root, and makes every checksum right again, as no accident would. */
async function forge(
  good: Uint8Array,
  blockEdits: readonly (readonly [number, number])[],
  rootEdits: readonly (readonly [number, number])[],
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
