import { HoldfastError } from '../../../../src/errors.ts'
import { MemoryStorage } from '../../../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../../../src/storage/storage.ts'

/** Those of tests are tiny; with this much they are to documents as they are in life. */
const segmentWeight = 100

const weigh = (key: string, size: number): number => (key.includes('/segments/') ? segmentWeight * size : size)

/** A disk of so many bytes. What replaces an object needs room beside it, as a file does before it is renamed. */
export class SmallStorage extends MemoryStorage {
  limit = Number.POSITIVE_INFINITY
  /** Keys that found no room. */
  readonly refused: string[] = []

  async used(): Promise<number> {
    let sum = 0
    for await (const { key, size } of this.list('')) sum += weigh(key, size)
    return sum
  }

  /** From now on. */
  async leave(bytes: number): Promise<void> {
    this.limit = (await this.used()) + bytes
  }

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    const chunks: Uint8Array[] = []
    if (body instanceof Uint8Array) chunks.push(body)
    else for await (const chunk of body) chunks.push(Uint8Array.from(chunk))
    const bytes = Buffer.concat(chunks)
    if ((await this.used()) + weigh(key, bytes.length) > this.limit) {
      this.refused.push(key)
      throw new HoldfastError('DISK_FULL', `No space left while writing ${key}.`, { object: key })
    }
    return await super.put(key, bytes, options)
  }
}
