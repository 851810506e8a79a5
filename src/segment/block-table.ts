import { type BlockType, blockType } from './block-type.ts'
import { malformed } from './damage.ts'
import { codecNumber, codecOf } from './header.ts'
import {
  blockEntryLength,
  headerLength,
  maxBlockRaw,
  maxBlockRecords,
  maxCommitTableEntries,
  maxPageTableEntries,
} from './limits.ts'
import type { Codec } from './segment.ts'
import { getUint64, setUint64, viewOf } from './uint64.ts'

const maxCount: readonly number[] = [maxBlockRecords, maxPageTableEntries, maxCommitTableEntries]

export interface BlockEntry {
  readonly type: BlockType
  readonly codec: Codec
  readonly storedLength: number
  readonly rawLength: number
  readonly count: number
  readonly firstKey: number
  readonly checksum: bigint
}

/** Collects the entries of the blocks written. */
export class BlockTableWriter {
  #bytes = new Uint8Array(blockEntryLength * 64)
  #count = 0
  #end = headerLength

  get count(): number {
    return this.#count
  }

  /** Where the next block begins. */
  get end(): number {
    return this.#end
  }

  add(entry: BlockEntry): void {
    const offset = this.#count * blockEntryLength
    if (offset === this.#bytes.length) {
      const grown = new Uint8Array(offset * 2)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    const view = viewOf(this.#bytes.subarray(offset, offset + blockEntryLength))
    view.setUint8(0, entry.type)
    view.setUint8(1, codecNumber(entry.codec))
    view.setUint32(4, entry.storedLength, true)
    view.setUint32(8, entry.rawLength, true)
    view.setUint32(12, entry.count, true)
    setUint64(view, 16, entry.firstKey)
    view.setBigUint64(24, entry.checksum, true)
    this.#count++
    this.#end += entry.storedLength
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#count * blockEntryLength)
  }
}

/** Every block of a segment, by slot, as the root lists them. Slots run from 0 to `count - 1`; asking for others is a RangeError. */
export class BlockTable {
  readonly count: number
  readonly #view: DataView
  readonly #offsets: Float64Array

  /** @throws INTEGRITY (without an object) unless the entries are sound and the blocks fill the bytes up to `end` exactly */
  constructor(bytes: Uint8Array, end: number, sealOverhead: number) {
    this.count = bytes.length / blockEntryLength
    this.#view = viewOf(bytes)
    this.#offsets = new Float64Array(this.count + 1)
    let offset = headerLength
    let previousType = 0
    for (let slot = 0; slot < this.count; slot++) {
      const type = this.#check(slot, sealOverhead)
      if (type < previousType) throw malformed(`block ${slot} is out of order`)
      previousType = type
      this.#offsets[slot] = offset
      offset += this.storedLength(slot)
    }
    this.#offsets[this.count] = offset
    if (offset !== end) throw malformed(`the blocks end at byte ${offset} instead of ${end}`)
  }

  type(slot: number): number {
    return this.#view.getUint8(slot * blockEntryLength)
  }

  codec(slot: number): Codec {
    return codecOf(this.#view.getUint8(slot * blockEntryLength + 1))
  }

  storedLength(slot: number): number {
    return this.#view.getUint32(slot * blockEntryLength + 4, true)
  }

  rawLength(slot: number): number {
    return this.#view.getUint32(slot * blockEntryLength + 8, true)
  }

  /** Records, pages or commits inside. */
  entries(slot: number): number {
    return this.#view.getUint32(slot * blockEntryLength + 12, true)
  }

  /** First page, or in a commit table the first LSN. */
  firstKey(slot: number): number {
    return getUint64(this.#view, slot * blockEntryLength + 16)
  }

  /** XXH64 of the stored bytes, seeded with the slot. */
  checksum(slot: number): bigint {
    return this.#view.getBigUint64(slot * blockEntryLength + 24, true)
  }

  /** Byte of the object at which the block begins. */
  offset(slot: number): number {
    return this.#offsets[slot] ?? Number.NaN
  }

  /** The slots of one type, ascending. */
  *slots(type: BlockType): Generator<number> {
    for (let slot = 0; slot < this.count; slot++) if (this.type(slot) === type) yield slot
  }

  /** Entries in all blocks of one type. */
  total(type: BlockType): number {
    let total = 0
    for (const slot of this.slots(type)) total += this.entries(slot)
    return total
  }

  #check(slot: number, sealOverhead: number): number {
    const type = this.type(slot)
    const raw = this.rawLength(slot)
    const stored = this.storedLength(slot) - sealOverhead
    const entries = this.entries(slot)
    const most = maxCount[type]
    const asStored = this.codec(slot) === 'none' ? stored === raw : stored < raw
    if (most === undefined) throw malformed(`block ${slot} has unknown type ${type}`)
    if (raw > maxBlockRaw || stored < 1 || !asStored) throw malformed(`block ${slot} has impossible lengths`)
    if (entries < 1 || entries > most) throw malformed(`block ${slot} has an impossible count of ${entries}`)
    if (type !== blockType.commitTable && this.firstKey(slot) < 1)
      throw malformed(`block ${slot} has an impossible first page`)
    return type
  }
}
