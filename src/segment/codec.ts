/**
 * Block compression on libuv's thread pool. A result must have exactly the expected length: cut, extended and exploding inputs
 * are errors.
 */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { HoldfastError } from '../errors.ts'
import { BlockMemory } from './block-memory.ts'
import { malformed } from './damage.ts'
import type { Codec } from './segment.ts'
import { checkZstdFrame, zstdFrameLength } from './zstd-frame.ts'
import { ZstdLane } from './zstd-lane.ts'

/** A frame of incompressible bytes is longer than they are by less than this, per 128 KiB and once. */
const compressionSlack = 4096

const levels = {
  none: { lowest: 0, highest: 0, usual: 0 },
  gzip: { lowest: 1, highest: 9, usual: 6 },
  // Beyond 19 a frame's window could pass 8 MiB, which readers refuse.
  zstd: { lowest: -50, highest: 19, usual: 1 },
} as const satisfies Record<Codec, unknown>

const gzipAsync = promisify<Uint8Array, { level: number; chunkSize: number }, Buffer>(gzip)

/** The level to compress with. @throws USAGE if the codec has no such level */
export function compressionLevel(codec: Codec, level: number | undefined): number {
  const { lowest, highest, usual } = levels[codec]
  if (level === undefined) return usual
  // Node.js takes zstd's level -1 for "not set", which would compress harder, not faster.
  const unusable = codec === 'zstd' && (level === 0 || level === -1)
  if (Number.isInteger(level) && level >= lowest && level <= highest && !unusable) return level
  const range = codec === 'zstd' ? `${lowest} to -2 and 1 to ${highest}` : `${lowest} to ${highest}`
  throw new HoldfastError('USAGE', `Compression level ${level} is not one of ${codec}'s (${range}).`)
}

/** Compresses and decompresses any number of blocks at once, keeping contexts for later ones until it is disposed of. */
export class CodecPool implements Disposable {
  readonly #codec: Codec
  readonly #level: number
  readonly #compressors: ZstdLane[] = []
  readonly #decompressors: ZstdLane[] = []
  readonly #memory: BlockMemory
  readonly #mostFree: number
  readonly #makeCompressor = (length: number) => ZstdLane.compressor(this.#level, length)
  #disposed = false

  /**
   * Codec and level are for {@link compress} only.
   * @param mostFree so many contexts, and blocks of memory, are kept while they are not used
   */
  constructor(codec: Codec = 'none', level?: number, mostFree = Number.POSITIVE_INFINITY) {
    this.#codec = codec
    this.#memory = new BlockMemory(mostFree)
    this.#mostFree = mostFree
    this.#level = compressionLevel(codec, level)
  }

  /** The compressed bytes, or undefined if they would not be fewer. */
  async compress(raw: Uint8Array): Promise<Uint8Array | undefined> {
    const compressed = await this.#compressed(raw)
    if (compressed === undefined || compressed.length < raw.length) return compressed
    this.recycle(compressed)
    return undefined
  }

  /** @throws INTEGRITY (without an object) unless the bytes decompress to exactly `rawLength` */
  async decompress(codec: Codec, stored: Uint8Array, rawLength: number): Promise<Uint8Array> {
    const raw = await this.#decompressed(codec, stored, rawLength)
    if (raw.length !== rawLength) throw malformed(`it decompresses to ${raw.length} bytes instead of ${rawLength}`)
    return raw
  }

  /** Lets the memory of a result be used again; nobody may look at it afterwards. Other bytes are passed over. */
  recycle(result: Uint8Array): void {
    this.#memory.give(result)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const lane of [...this.#compressors, ...this.#decompressors]) lane.close()
  }

  async #compressed(raw: Uint8Array): Promise<Uint8Array | undefined> {
    switch (this.#codec) {
      case 'none':
        return undefined
      case 'gzip':
        return await gzipAsync(raw, { level: this.#level, chunkSize: Math.max(1024, raw.length) })
      case 'zstd': {
        const longest = raw.length + compressionSlack + (raw.length >>> 10)
        return await this.#onLane(this.#compressors, this.#makeCompressor, longest, async (lane) => {
          const frames = await lane.run(raw, this.#memory.take(longest))
          // Where a frame ends just at the end of an output buffer, Node.js asks for more and gets an empty frame.
          return frames.subarray(0, zstdFrameLength(frames, raw.length))
        })
      }
    }
  }

  async #decompressed(codec: Codec, stored: Uint8Array, rawLength: number): Promise<Uint8Array> {
    switch (codec) {
      case 'none':
        return stored
      case 'gzip':
        return await gunzipExactly(stored, rawLength)
      case 'zstd':
        checkZstdFrame(stored, rawLength)
        return await this.#onLane(this.#decompressors, ZstdLane.decompressor, rawLength, async (lane) => {
          try {
            return await lane.run(stored, this.#memory.take(rawLength))
          } catch (error) {
            throw malformed('it does not decompress', error)
          }
        })
    }
  }

  async #onLane<T>(
    free: ZstdLane[],
    make: (length: number) => ZstdLane,
    length: number,
    work: (lane: ZstdLane) => Promise<T>,
  ): Promise<T> {
    const present = free.pop()
    const isSuitable = present?.suits(length) === true
    if (!isSuitable) present?.close()
    const lane = present !== undefined && isSuitable ? present : make(length)
    try {
      const result = await work(lane)
      if (this.#disposed || free.length >= this.#mostFree) lane.close()
      else if (!lane.closed) free.push(lane)
      return result
    } catch (error) {
      lane.close()
      throw error
    }
  }
}

function gunzipExactly(stored: Uint8Array, rawLength: number): Promise<Uint8Array> {
  const options = { chunkSize: Math.max(1024, rawLength + 1), maxOutputLength: Math.max(1, rawLength), info: true }
  return new Promise((resolve, reject) => {
    // With `info` the result carries the engine, whose count shows bytes after the end, which gunzip passes over.
    gunzip(stored, options, (error, result: unknown) => {
      const { buffer, engine } = infoOf(result)
      if (error || buffer === undefined) reject(malformed('it does not decompress', error))
      else if (engine?.bytesWritten !== stored.length) reject(malformed('bytes follow the end of the compressed data'))
      else resolve(buffer)
    })
  })
}

function infoOf(result: unknown): { buffer?: Uint8Array; engine?: { bytesWritten?: unknown } } {
  return typeof result === 'object' && result !== null ? result : {}
}
