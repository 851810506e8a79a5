import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { CodecPool } from '../../src/segment/codec.ts'
import { orderedMap } from '../../src/segment/ordered-map.ts'
import { checkZstdFrame } from '../../src/segment/zstd-frame.ts'
import { collect, noise, page } from './helpers.ts'

for (const codec of ['gzip', 'zstd'] as const) {
  test(`${codec}: any number of blocks at once, of any size, come back`, async () => {
    using pool = new CodecPool(codec)
    const sizes = [1, 17, 512, 4096, 100_000, 262_210, 1_048_576, 40, 300_000]
    const blocks = [...sizes, ...sizes, ...sizes].map((size, at) => page(size, at * 7 + 1))
    const back = await Promise.all(
      blocks.map(async (block) => {
        const compressed = await pool.compress(block)
        return compressed === undefined ? block : await pool.decompress(codec, compressed, block.length)
      }),
    )
    for (const [at, block] of blocks.entries()) assert.equal(Buffer.compare(back[at] ?? Buffer.of(), block), 0)
  })

  test(`${codec}: what does not shrink is left alone`, async () => {
    using pool = new CodecPool(codec)
    assert.equal(await pool.compress(noise(262_144, 3)), undefined)
    assert.equal(await pool.compress(Uint8Array.of(1)), undefined)
  })

  test(`${codec}: cut, extended, altered and exploding data are errors, and spoil nothing that comes after`, async () => {
    using pool = new CodecPool(codec)
    const raw = page(5000, 11)
    const good = (await pool.compress(raw)) ?? assert.fail()
    const bomb = codec === 'gzip' ? gzipSync(new Uint8Array(50_000_000)) : zstdCompressSync(new Uint8Array(50_000_000))
    const bad = [
      ...Array.from({ length: good.length }, (_, cut) => good.subarray(0, cut)),
      Buffer.concat([good, Uint8Array.of(0)]),
      Buffer.concat([good, good]),
      Buffer.from('neither of the two'),
      bomb,
    ]
    for (const bytes of bad) {
      await assert.rejects(pool.decompress(codec, bytes, raw.length), { code: 'INTEGRITY' })
      await assert.rejects(pool.decompress(codec, good, raw.length - 1), { code: 'INTEGRITY' })
      await assert.rejects(pool.decompress(codec, good, raw.length + 1), { code: 'INTEGRITY' })
    }
    assert.equal(Buffer.compare(await pool.decompress(codec, good, raw.length), raw), 0)
  })
}

test('zstd: a frame that states no size may not exceed the expected one', async () => {
  using pool = new CodecPool('zstd')
  const bomb = zstdCompressSync(new Uint8Array(20_000_000), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
  await assert.rejects(pool.decompress('zstd', bomb, 4096), { code: 'INTEGRITY' })
})

test('zstd: a frame that ends just where an output buffer does is one frame', async () => {
  const large = Buffer.concat([noise(1_040_000, 1), new Uint8Array(40_000)])
  const text = Buffer.from(Buffer.from(noise(20_000, 2)).toString('hex'))
  const size = async (raw: Uint8Array) => {
    using pool = new CodecPool('zstd')
    return (await pool.compress(raw))?.length ?? assert.fail()
  }
  // What is left of the first output buffer (1 MiB) after the large block, a block of text must fill exactly.
  const rest = 1_048_576 - (await size(large))
  let length = rest
  for (let missing = 1; missing > 0; length += Math.ceil(missing / 2))
    missing = rest - (await size(text.subarray(0, length)))
  assert.equal(await size(text.subarray(0, length)), rest)

  using pool = new CodecPool('zstd')
  await pool.compress(large)
  const filling = (await pool.compress(text.subarray(0, length))) ?? assert.fail()
  assert.equal(filling.length, rest)
  assert.equal(Buffer.compare(await pool.decompress('zstd', filling, length), text.subarray(0, length)), 0)
})

test('zstd: frames of every kind that other programs write are walked to their end', () => {
  const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = constants
  for (const size of [0, 1, 255, 256, 70_000, 400_000]) {
    for (const params of [{}, { [ZSTD_c_checksumFlag]: 1 }, { [ZSTD_c_contentSizeFlag]: 0 }]) {
      for (const raw of [page(size, 3), noise(size, 3), new Uint8Array(size)]) {
        checkZstdFrame(zstdCompressSync(raw, { params, pledgedSrcSize: size }), size)
      }
    }
  }
})

test('levels that a codec does not have are refused', () => {
  for (const level of [0, -1, 20, -51, 1.5, Number.NaN])
    assert.throws(() => new CodecPool('zstd', level), { code: 'USAGE' })
  for (const level of [0, 10, -1]) assert.throws(() => new CodecPool('gzip', level), { code: 'USAGE' })
  for (const level of [-50, -2, 1, 19]) new CodecPool('zstd', level)[Symbol.dispose]()
})

test('zstd: the level is honoured', async () => {
  const raw = Buffer.from(Array.from({ length: 9000 }, (_, at) => `${at % 97} ${(at * 7919) % 1009},`).join(''))
  using fast = new CodecPool('zstd', -20)
  using usual = new CodecPool('zstd')
  const [fastSize = 0, usualSize = 0] = [(await fast.compress(raw))?.length, (await usual.compress(raw))?.length]
  assert.ok(usualSize > 0 && fastSize > usualSize)
})

test('an ordered map keeps the order, bounds what is under way, and waits for it when it is left early', async () => {
  let running = 0
  let most = 0
  let closed = false
  async function* numbers() {
    try {
      for (let number = 0; number < 50; number++) yield number
    } finally {
      closed = true
    }
  }
  const slow = async (number: number) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < (number * 7) % 5; turn++) await new Promise(setImmediate)
    running--
    return number
  }
  assert.deepEqual(
    await collect(orderedMap(numbers(), 4, slow)),
    Array.from({ length: 50 }, (_, at) => at),
  )
  assert.equal(most, 4)
  closed = false
  for await (const number of orderedMap(numbers(), 4, slow)) if (number === 3) break
  assert.equal(running, 0)
  assert.ok(closed)
})

test('an ordered map gives what came before a failure, then the failure', async () => {
  const seen: number[] = []
  const failing = async (number: number) => {
    if (number >= 5) throw new Error(`number ${number}`)
    return number
  }
  await assert.rejects(
    async () => {
      for await (const number of orderedMap([1, 2, 3, 4, 5, 6, 7], 3, failing)) seen.push(number)
    },
    { message: 'number 5' },
  )
  assert.deepEqual(seen, [1, 2, 3, 4])
})
