import type { Op, RecordBatch } from '../segment/segment.ts'

const fewRecords = 1024
const fewBytes = 256 << 10
/** What is kept for later: no more than the work of a moment needs, however many databases are followed. */
const mostSpare = 4
const mostSpareBytes = 1 << 20
const spare: GatheredRecords[] = []

export const noRecords: Mark = { count: 0, bytes: 0 }

/** Records of many small commits, one after the other in memory that is used again: a batch for each would be mostly overhead. */
export class GatheredRecords {
  #pages = new Uint32Array(fewRecords)
  #ops = new Uint8Array(fewRecords)
  #lengths = new Uint32Array(fewRecords)
  #hashes = new BigUint64Array(fewRecords)
  #values = new Uint8Array(fewBytes)
  #count = 0
  #bytes = 0

  /** Empty ones, perhaps in memory that was used before. */
  static take(): GatheredRecords {
    return spare.pop() ?? new GatheredRecords()
  }

  /** Gives the memory back. Nobody may look at it afterwards. */
  give(): void {
    this.cutBack(noRecords)
    if (spare.length < mostSpare && this.#values.length <= mostSpareBytes) spare.push(this)
  }

  /** The end of all. */
  get end(): Mark {
    return { count: this.#count, bytes: this.#bytes }
  }

  /** Copies the value. */
  add(page: number, hash: bigint, op: Op, value: Uint8Array): void {
    this.#reserve(this.#count + 1, this.#bytes + value.length)
    this.#pages[this.#count] = page
    this.#ops[this.#count] = op
    this.#lengths[this.#count] = value.length
    this.#hashes[this.#count] = hash
    this.#values.set(value, this.#bytes)
    this.#count++
    this.#bytes += value.length
  }

  /** Adds those of another one after a mark. */
  addAfter({ count, bytes }: Mark, from: GatheredRecords): void {
    this.#reserve(this.#count + from.#count - count, this.#bytes + from.#bytes - bytes)
    this.#pages.set(from.#pages.subarray(count, from.#count), this.#count)
    this.#ops.set(from.#ops.subarray(count, from.#count), this.#count)
    this.#lengths.set(from.#lengths.subarray(count, from.#count), this.#count)
    this.#hashes.set(from.#hashes.subarray(count, from.#count), this.#count)
    this.#values.set(from.#values.subarray(bytes, from.#bytes), this.#bytes)
    this.#count += from.#count - count
    this.#bytes += from.#bytes - bytes
  }

  /** The first records, in the memory of this; valid until the next change. */
  upTo({ count, bytes }: Mark): RecordBatch {
    return {
      pages: this.#pages.subarray(0, count),
      ops: this.#ops.subarray(0, count),
      lengths: this.#lengths.subarray(0, count),
      hashes: this.#hashes.subarray(0, count),
      values: this.#values.subarray(0, bytes),
    }
  }

  /** Forgets those after the mark. */
  cutBack({ count, bytes }: Mark): void {
    this.#count = count
    this.#bytes = bytes
  }

  #reserve(count: number, bytes: number): void {
    if (count > this.#pages.length) {
      const room = Math.max(count, 2 * this.#pages.length)
      this.#pages = grown(this.#pages, new Uint32Array(room))
      this.#ops = grown(this.#ops, new Uint8Array(room))
      this.#lengths = grown(this.#lengths, new Uint32Array(room))
      this.#hashes = grown(this.#hashes, new BigUint64Array(room))
    }
    if (bytes > this.#values.length)
      this.#values = grown(this.#values, new Uint8Array(Math.max(bytes, 2 * this.#values.length)))
  }
}

/** So many records, and so many bytes of their values. */
export interface Mark {
  readonly count: number
  readonly bytes: number
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from)
  return into
}
