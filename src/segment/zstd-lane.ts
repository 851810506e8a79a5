import { constants, createZstdCompress, createZstdDecompress, type ZstdCompress, type ZstdDecompress } from 'node:zlib'

/** Large output buffers save trips to the thread pool and back. */
const chunkSize = 1_048_576

/**
 * A Zstandard context that is kept from block to block; making one anew for each block costs a third of the speed at level 1.
 * One call at a time. After a failure it is closed and must not be used again.
 */
export class ZstdLane {
  readonly #stream: ZstdCompress | ZstdDecompress
  #parts: Buffer[] = []
  #length = 0
  #limit = 0
  #fail: ((error: Error) => void) | undefined

  private constructor(stream: ZstdCompress | ZstdDecompress) {
    this.#stream = stream
    stream.on('data', (part: Buffer) => this.#take(part))
    stream.on('error', (error: Error) => this.#fail?.(error))
  }

  /** Every write becomes one frame, which states its content's size. */
  static compressor(level: number): ZstdLane {
    const { ZSTD_c_compressionLevel, ZSTD_c_minMatch, ZSTD_c_windowLog, ZSTD_e_end } = constants
    // A full block's payload is just over 256 KiB, for which zstd would choose a larger window, and at level 1 a longer least
    // match: measured, 15 % slower and 2 % larger.
    const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_windowLog]: 18 }
    if (level === 1) params[ZSTD_c_minMatch] = 6
    return new ZstdLane(createZstdCompress({ chunkSize, flush: ZSTD_e_end, params }))
  }

  /** Refuses frames that want a window beyond 8 MiB. */
  static decompressor(): ZstdLane {
    return new ZstdLane(createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 23 } }))
  }

  get closed(): boolean {
    return this.#stream.destroyed
  }

  /** Fails, and closes the lane, when the result would pass `limit` bytes. */
  run(input: Uint8Array, limit: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#parts = []
      this.#length = 0
      this.#limit = limit
      this.#fail = reject
      this.#stream.write(input, (error) => {
        const parts = this.#parts
        this.#parts = []
        this.#fail = undefined
        if (error) reject(error)
        else resolve(joined(parts))
      })
    })
  }

  close(): void {
    this.#stream.destroy()
  }

  #take(part: Buffer): void {
    this.#length += part.length
    if (this.#length <= this.#limit) {
      this.#parts.push(part)
      return
    }
    this.#fail?.(new RangeError(`the result is longer than ${this.#limit} bytes`))
    this.close()
  }
}

function joined(parts: Buffer[]): Uint8Array {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts)
}
