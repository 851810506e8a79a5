import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findDamage } from '../../src/segment/damage-report.ts'
import { fullBatch } from '../../src/segment/full-batch.ts'
import { openSegment, type SegmentReader } from '../../src/segment/read-segment.ts'
import { writeSegment } from '../../src/segment/write-segment.ts'
import type { TestRecord, TestSegment } from './helpers.ts'
import { baseSegment, batchesOf, bytesOf, collect, memoryInput, noise, segments, write } from './helpers.ts'

test('what is written is what is read, whatever the kind, page size, codec and batches', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.integer({ min: 1, max: 9 }), async (segment, concurrency) => {
      const bytes = await write(segment, { concurrency })
      const reader = await openSegment(memoryInput(bytes))
      assert.deepEqual(reader.header, segment.header)
      assert.deepEqual(reader.end, segment.end)
      assert.deepEqual(await readRecords(reader), segment.records.map(withoutHash))
      assert.deepEqual(await readTable(reader), expectedTable(segment))
      assert.deepEqual(await collect(reader.commits()), segment.commits)
      assert.equal(reader.totals.storedBytes, bytes.length)
      assert.equal(reader.totals.records, segment.records.length)
      assert.deepEqual(await findDamage(reader.checkStored()), [])
      assert.deepEqual(await findDamage(reader.checkContents({ concurrency })), [])
    }),
    { numRuns: 60 },
  )
})

test('the totals are those that the reader finds, and unknown before the end', async () => {
  const segment = baseSegment(600)
  const stream = writeSegment(segment.header, batchesOf(segment), async () => segment.end)
  assert.throws(() => stream.totals(), { code: 'INTERNAL' })
  const bytes = await bytesOf(stream)
  const reader = await openSegment(memoryInput(bytes))
  assert.deepEqual(stream.totals(), reader.totals)
  assert.equal(reader.totals.rawBytes, 600 * 512)
})

test('an empty database is a base without blocks', async () => {
  const segment = baseSegment(0)
  const reader = await openSegment(memoryInput(await write(segment)))
  assert.equal(reader.blocks.count, 0)
  assert.deepEqual(await collect(reader.records()), [])
  assert.deepEqual(await findDamage(reader.checkContents()), [])
})

test('a block that does not shrink is stored as it is', async () => {
  const base = baseSegment(1, 4096)
  const value = noise(4096, 5)
  const pages = { pages: Uint32Array.of(1), values: value, hashes: BigUint64Array.of(1n) }
  async function* batches() {
    yield fullBatch(pages, 4096)
  }
  const bytes = await bytesOf(writeSegment(base.header, batches(), () => base.end))
  const reader = await openSegment(memoryInput(bytes))
  assert.equal(reader.blocks.codec(0), 'none')
  assert.ok(bytes.includes(Buffer.from(value)))
})

test('batches of 64 pages of 4 KiB become blocks of 64 pages', async () => {
  const reader = await openSegment(memoryInput(await write(baseSegment(130, 4096))))
  const blocks = await collect(reader.records())
  assert.deepEqual(
    blocks.map((block) => block.pages.length),
    [64, 64, 2],
  )
  assert.deepEqual(
    blocks.map((block) => reader.blocks.firstKey(block.slot)),
    [1, 65, 129],
  )
})

test('a small segment is opened with one range read, and blocks that lie together are fetched in one', async () => {
  const input = memoryInput(await write(baseSegment(1200)))
  const reader = await openSegment(input)
  assert.equal(input.reads.length, 1)
  await collect(reader.records())
  assert.equal(input.reads.length, 2)
})

test('an index larger than the first read is fetched with a second', async () => {
  const input = memoryInput(await write(baseSegment(1200)))
  const reader = await openSegment(input, { tailBytes: 60 })
  assert.equal(input.reads.length, 2)
  assert.deepEqual(await findDamage(reader.checkContents()), [])
})

test('only the wanted blocks are read, in ascending order', async () => {
  const input = memoryInput(await write(baseSegment(3000)))
  const reader = await openSegment(input)
  const slots = (await collect(reader.records({ blocks: [4, 1, 2] }))).map((block) => block.slot)
  assert.deepEqual(slots, [1, 2, 4])
  assert.deepEqual(
    input.reads.slice(1).map((read) => read.offset),
    [reader.blocks.offset(1), reader.blocks.offset(4)],
  )
  const even = await collect(reader.records({ blocks: (slot) => slot % 2 === 0 }))
  assert.deepEqual(
    even.map((block) => block.slot),
    [0, 2, 4],
  )
})

test('a sealer sees every block and the root, with their slots', async () => {
  const sealed: number[] = []
  const sealer = {
    overhead: 4,
    seal: (slot: number, bytes: Uint8Array) => {
      sealed.push(slot)
      return Buffer.concat([bytes.map((byte) => byte ^ (slot + 1)), Uint8Array.of(1, 2, 3, slot)])
    },
    open: (slot: number, bytes: Uint8Array) => {
      assert.equal(bytes.at(-1), slot)
      return bytes.subarray(0, -4).map((byte) => byte ^ (slot + 1))
    },
  }
  const segment = baseSegment(700)
  const bytes = await write(segment, { sealer })
  assert.deepEqual(sealed, [0, 1, 2, 3])
  const reader = await openSegment(memoryInput(bytes), { sealer })
  assert.deepEqual(await readRecords(reader), segment.records.map(withoutHash))
  assert.deepEqual(await findDamage(reader.checkContents()), [])
})

function withoutHash({ page, op, value }: TestRecord) {
  return { page, op, value: Buffer.from(value) }
}

async function readRecords(reader: SegmentReader) {
  const records = []
  for await (const block of reader.records()) {
    let offset = 0
    for (const [at, page] of block.pages.entries()) {
      const length = block.lengths[at] ?? 0
      records.push({ page, op: block.ops[at], value: Buffer.from(block.values.subarray(offset, offset + length)) })
      offset += length
    }
  }
  return records
}

async function readTable(reader: SegmentReader): Promise<[number, bigint][]> {
  const table: [number, bigint][] = []
  for await (const { pages, hashes } of reader.pageTable()) {
    for (const [at, page] of pages.entries()) table.push([page, hashes[at] ?? 0n])
  }
  return table
}

function expectedTable(segment: TestSegment): [number, bigint][] {
  const newest = new Map(segment.records.map((record) => [record.page, record.hash]))
  return [...newest].filter(([page]) => page <= segment.end.pageCount).toSorted(([a], [b]) => a - b)
}
