/** A block is trusted as written only when what was compressed came back from it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { CodecPool } from '../../src/segment/codec.ts'
import { baseSegment, write } from './helpers.ts'

/** As with faulty memory: what it compresses is not quite what it was given, from the n-th time on. */
class FaultyPool extends CodecPool {
  #left: number

  constructor(codec: 'gzip' | 'zstd', soundBlocks: number) {
    super(codec)
    this.#left = soundBlocks
  }

  override async compress(raw: Uint8Array): Promise<Uint8Array | undefined> {
    const given = Buffer.from(raw)
    if (this.#left-- <= 0) given.writeUInt8(given.readUInt8(given.length - 1) ^ 1, given.length - 1)
    return await super.compress(given)
  }
}

describe('a segment with a block that decompresses to something else', () => {
  for (const codec of ['gzip', 'zstd'] as const) {
    for (const [what, soundBlocks] of [
      ['its first block', 0],
      ['a later one', 2],
    ] as const) {
      it(`is not written: ${codec}, ${what}`, async () => {
        // More than 256 KiB of pages: several records blocks.
        const segment = baseSegment(2000, 512, codec)
        using codecs = new FaultyPool(codec, soundBlocks)
        await assert.rejects(write(segment, { codecs }), (thrown) => hasCode(thrown, 'INTEGRITY'))
        using sound = new FaultyPool(codec, Number.POSITIVE_INFINITY)
        assert.deepEqual(Buffer.from(await write(segment, { codecs: sound })), Buffer.from(await write(segment)))
      })
    }
  }
})
