import { malformed } from './damage.ts'

/** A stored segment object, readable by ranges. */
export interface SegmentInput {
  /** Bytes of the object. */
  readonly size: number
  read(offset: number, length: number, options?: ReadOptions): AsyncIterable<Uint8Array>
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** A chunk's memory may be used again once the next is asked for; default false. */
  readonly transient?: boolean | undefined
}

/**
 * A range as one piece. The caller bounds the length.
 * @throws INTEGRITY (without an object) if the input yields more or fewer bytes
 */
export async function readRange(
  input: SegmentInput,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const stream = new RegionStream(input.read(offset, length, { signal }))
  try {
    const bytes = await stream.take(length)
    await stream.finish()
    return bytes
  } finally {
    await stream.close()
  }
}

/**
 * Cuts a stream of bytes into regions of known lengths; a region that lies within one chunk is not copied.
 * Where chunks are transient, so are the regions: each is valid until the next is taken.
 */
export class RegionStream {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #transient: boolean
  #chunk: Uint8Array = new Uint8Array(0)
  #scratch: Uint8Array = new Uint8Array(0)

  constructor(chunks: AsyncIterable<Uint8Array>, { transient = false }: Pick<ReadOptions, 'transient'> = {}) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#transient = transient
  }

  /** @throws INTEGRITY (without an object) if the stream ends before */
  async take(length: number): Promise<Uint8Array> {
    if (this.#chunk.length === 0 && length > 0) await this.#next(length)
    if (this.#chunk.length >= length) return this.#cut(length)
    const bytes = this.#memory(length)
    for (let filled = 0; filled < length; ) {
      if (this.#chunk.length === 0) await this.#next(length - filled)
      const part = this.#cut(Math.min(length - filled, this.#chunk.length))
      bytes.set(part, filled)
      filled += part.length
    }
    return bytes
  }

  /** @throws INTEGRITY (without an object) if bytes are left */
  async finish(): Promise<void> {
    for (;;) {
      if (this.#chunk.length > 0) throw malformed('the storage gave more bytes than there should be')
      const { done, value } = await this.#chunks.next()
      if (done) return
      this.#chunk = value
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  #memory(length: number): Uint8Array {
    if (!this.#transient) return Buffer.allocUnsafeSlow(length)
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(length)
    return this.#scratch.subarray(0, length)
  }

  async #next(missing: number): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw malformed(`it is cut short; ${missing} bytes are missing`)
    this.#chunk = value
  }

  #cut(length: number): Uint8Array {
    const part = this.#chunk.subarray(0, length)
    this.#chunk = this.#chunk.subarray(length)
    return part
  }
}
