import { maxBlockValues } from './limits.ts'

/** Holds a full records block with its directory, and what a codec makes of it if it does not shrink. */
const usualLength = maxBlockValues + 16_384

/**
 * Memory for blocks, used again and again. Fresh memory for every block would cost more than its compression at level 1: to be
 * mapped, and to make the garbage collector look through everything every 32 MiB.
 */
export class BlockMemory {
  readonly #free: ArrayBufferLike[] = []
  readonly #mostFree: number
  /** Weak, because nobody has to give memory back. */
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /** @param mostFree so many blocks are kept for later */
  constructor(mostFree = Number.POSITIVE_INFINITY) {
    this.#mostFree = mostFree
  }

  /** The content is arbitrary. */
  take(length: number): Uint8Array {
    if (length > usualLength) return Buffer.allocUnsafeSlow(length)
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(usualLength).buffer
    this.#lent.add(memory)
    return Buffer.from(memory, 0, length)
  }

  /** Takes memory back, of which nobody may look at any part afterwards. Passes over bytes from elsewhere. */
  give(bytes: Uint8Array): void {
    if (this.#lent.delete(bytes.buffer) && this.#free.length < this.#mostFree) this.#free.push(bytes.buffer)
  }
}
