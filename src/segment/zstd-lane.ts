import { constants, createZstdCompress, createZstdDecompress, type ZstdCompress, type ZstdDecompress } from 'node:zlib'

/** Large output buffers save trips to the thread pool and back; for little, they would be mostly garbage. */
const largeChunk = 1_048_576
const smallChunk = 65_536

/**
 * A Zstandard context that is kept from block to block; making one anew for each block costs a third of the speed at level 1.
 * One call at a time. After a failure it is closed and must not be used again.
 */
export class ZstdLane {
  readonly #stream: ZstdCompress | ZstdDecompress
  readonly #chunkSize: number
  #into: Uint8Array | undefined
  #length = 0
  /** The stream's present output buffer, of which every result is a copy of a part. */
  #output: ArrayBufferLike | undefined
  #fail: ((error: Error) => void) | undefined

  private constructor(stream: ZstdCompress | ZstdDecompress, chunkSize: number) {
    this.#stream = stream
    this.#chunkSize = chunkSize
    stream.on('data', (part: Buffer) => this.#take(part))
    stream.on('error', (error: Error) => this.#fail?.(error))
  }

  /** Every write becomes one frame, which states its content's size. @param length of the first result, at most */
  static compressor(level: number, length: number): ZstdLane {
    const { ZSTD_c_compressionLevel, ZSTD_c_minMatch, ZSTD_c_windowLog, ZSTD_e_end } = constants
    // A full block's payload is just over 256 KiB, for which zstd would choose a larger window, and at level 1 a longer least
    // match: measured, 15 % slower and 2 % larger.
    const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: 18 }
    if (level === 1) params[ZSTD_c_minMatch] = 6
    const chunkSize = chunkFor(length)
    return new ZstdLane(createZstdCompress({ chunkSize, flush: ZSTD_e_end, params }), chunkSize)
  }

  /** Refuses frames that want a window beyond 8 MiB. @param length of the first result */
  static decompressor(length: number): ZstdLane {
    const chunkSize = chunkFor(length)
    const params = { [constants.ZSTD_d_windowLogMax]: 23 }
    return new ZstdLane(createZstdDecompress({ chunkSize, params }), chunkSize)
  }

  /** Whether it was made for results as long as that. */
  suits(length: number): boolean {
    return chunkFor(length) <= this.#chunkSize
  }

  get closed(): boolean {
    return this.#stream.destroyed
  }

  /** Returns what it wrote into `into`. Fails, and closes the lane, when that is too small. */
  run(input: Uint8Array, into: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#into = into
      this.#length = 0
      this.#fail = (error) => {
        this.#into = undefined
        reject(error)
      }
      this.#stream.write(input, (error) => {
        this.#into = undefined
        this.#fail = undefined
        if (error) reject(error)
        else resolve(into.subarray(0, this.#length))
      })
    })
  }

  close(): void {
    this.#stream.destroy()
  }

  #take(part: Buffer): void {
    const into = this.#into
    if (into === undefined) return
    if (this.#length + part.length > into.length) {
      this.#fail?.(new RangeError(`the result is longer than ${into.length} bytes`))
      this.close()
      return
    }
    into.set(part, this.#length)
    this.#length += part.length
    this.#retire(part.buffer)
  }

  /** Frees an output buffer as soon as the stream has gone on to the next, without waiting for the garbage collector. */
  #retire(present: ArrayBufferLike): void {
    if (this.#output instanceof ArrayBuffer && this.#output !== present) this.#output.transfer(0)
    this.#output = present
  }
}

function chunkFor(length: number): number {
  return length <= smallChunk ? smallChunk : largeChunk
}
