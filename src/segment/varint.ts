/**
 * Variable-length whole numbers: seven bits a byte, lowest first, the high bit set on all but the last (LEB128). Values stay
 * below 2^53, so plain numbers hold them; beyond 2^31 arithmetic replaces bit operations.
 */
import { malformed } from './damage.ts'

const maxVarintLength = 8

/** Signed to unsigned: 0, -1, 1, -2 … become 0, 1, 2, 3 …. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Collects bytes in a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  varint(value: number): void {
    if (this.#bytes.length - this.#length < maxVarintLength) this.#grow(maxVarintLength)
    const bytes = this.#bytes
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.#length++] = rest
  }

  bytes(added: Uint8Array): void {
    if (this.#bytes.length - this.#length < added.length) this.#grow(added.length)
    this.#bytes.set(added, this.#length)
    this.#length += added.length
  }

  /** What was written so far; valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + needed))
    grown.set(this.view())
    this.#bytes = grown
  }
}

/** Reads what {@link ByteWriter} wrote; every read is checked against the end. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  varint(): number {
    const bytes = this.#bytes
    let value = 0
    let scale = 1
    for (let count = 0; count < maxVarintLength; count++) {
      const byte = bytes[this.#position]
      if (byte === undefined) throw malformed('a number runs past the end')
      this.#position++
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break
        return value
      }
      scale *= 128
    }
    throw malformed('a number is too large')
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    const start = this.skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Passes over the next bytes, and says where they begin. */
  skip(length: number): number {
    if (length > this.remaining) throw malformed(`${length} bytes wanted, ${this.remaining} left`)
    const start = this.#position
    this.#position += length
    return start
  }
}
