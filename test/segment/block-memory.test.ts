import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlockMemory } from '../../src/segment/block-memory.ts'
import { CodecPool } from '../../src/segment/codec.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { writeSegment } from '../../src/segment/write-segment.ts'
import { baseSegment, batchesOf, bytesOf, memoryInput, page } from './helpers.ts'

test('memory that was given back is lent again, once', () => {
  const memory = new BlockMemory()
  const first = memory.take(1000)
  memory.give(first)
  memory.give(first)
  const [second, third] = [memory.take(2000), memory.take(2000)]
  assert.equal(second.buffer, first.buffer)
  assert.notEqual(third.buffer, first.buffer)
  assert.equal(second.length, 2000)
})

test('memory from elsewhere is never lent, whatever is given', () => {
  const memory = new BlockMemory()
  const stranger = new BlockMemory().take(1000)
  for (const bytes of [stranger, Buffer.alloc(262_144), new Uint8Array(10)]) memory.give(bytes)
  assert.notEqual(memory.take(1000).buffer, stranger.buffer)
})

test('a result that is kept stays as it is while others are recycled', async () => {
  using pool = new CodecPool('zstd')
  const blocks = Array.from({ length: 40 }, (_, at) => page(262_144, at + 1))
  const kept: Uint8Array[] = []
  for (const [at, block] of blocks.entries()) {
    const packed = (await pool.compress(block)) ?? assert.fail()
    const back = await pool.decompress('zstd', packed, block.length)
    assert.equal(Buffer.compare(back, block), 0)
    pool.recycle(packed)
    if (at % 3 === 0) kept.push(back)
    else pool.recycle(back)
  }
  for (const [at, bytes] of kept.entries()) assert.equal(Buffer.compare(bytes, blocks[at * 3] ?? Buffer.of()), 0)
})

for (const codec of ['none', 'zstd'] as const) {
  test(`${codec}: what is written does not depend on what becomes of a batch's memory afterwards`, async () => {
    // Batches that end in the midst of a block.
    const segment = { ...baseSegment(900, 4096, codec), batchSizes: [50] }
    async function* batches() {
      for await (const batch of batchesOf(segment)) {
        yield batch
        batch.values.fill(0xee)
      }
    }
    const overwritten = await bytesOf(writeSegment(segment.header, batches(), () => segment.end))
    const kept = await bytesOf(writeSegment(segment.header, batchesOf(segment), () => segment.end))
    assert.equal(Buffer.compare(overwritten, kept), 0)
  })

  test(`${codec}: blocks that are released do not change those that are not`, async () => {
    const segment = baseSegment(900, 4096, codec)
    const bytes = await bytesOf(writeSegment(segment.header, batchesOf(segment), () => segment.end))
    const reader = await openSegment(memoryInput(bytes))
    const kept: Uint8Array[] = []
    let at = 0
    for await (const block of reader.records({ concurrency: 3 })) {
      if (at++ % 2 === 0) kept.push(block.values)
      else block.release?.()
    }
    assert.equal(at, Math.ceil(900 / 64))
    for (const [index, values] of kept.entries()) {
      const records = segment.records.slice(index * 128, index * 128 + 64)
      assert.equal(Buffer.compare(values, Buffer.concat(records.map(({ value }) => value))), 0)
    }
  })
}
