import { HoldfastError } from '../errors.ts'
import { BlockMemory } from './block-memory.ts'
import { blockType, type RawBlock } from './block-type.ts'
import { maxBlockRecords, maxBlockValues, maxPage, maxPatchLength } from './limits.ts'
import { hasMoves } from './patch.ts'
import { putRecord } from './records-block.ts'
import { op, type RecordBatch, type SegmentHeader } from './segment.ts'
import { ByteWriter } from './varint.ts'

/** Room before the values for the count and the directory, which are known only afterwards; larger ones are put together anew. */
const headRoom = 8_192

/** Cuts batches of any size into records blocks. */
export class BlockBuilder {
  readonly #pageSize: number
  readonly #ascending: boolean
  readonly #fullOnly: boolean
  readonly #directory = new ByteWriter(4096)
  readonly #memory = new BlockMemory()
  /** Of the block begun: room for its head, then its values. */
  #block: Uint8Array | undefined
  #valuesLength = 0
  #count = 0
  #firstPage = 0
  #previousInBlock = 0
  #previousPage = 0

  records = 0
  rawBytes = 0
  hasPatches = false
  hasMoves = false

  constructor(header: SegmentHeader) {
    this.#pageSize = header.pageSize
    this.#ascending = header.kind !== 'log'
    this.#fullOnly = header.kind === 'base'
  }

  /** The highest page so far, where pages ascend. */
  get lastPage(): number {
    return this.#previousPage
  }

  /** Copies a batch, whose memory is not looked at afterwards; yields the blocks that it fills. */
  *add(batch: RecordBatch): Generator<RawBlock> {
    const { pages, ops, lengths, values } = batch
    const count = pages.length
    if (ops.length !== count || lengths.length !== count || batch.hashes.length !== count) {
      throw new HoldfastError('INTERNAL', 'The arrays of a record batch differ in length.')
    }
    let start = 0
    let end = 0
    for (let at = 0; at < count; at++) {
      const page = pages[at] ?? 0
      const operation = ops[at] ?? 0
      const length = lengths[at] ?? 0
      this.#check(page, operation, length)
      if (this.#valuesLength + (end - start) + length > maxBlockValues || this.#count === maxBlockRecords) {
        this.#hold(values, start, end)
        yield* this.flush()
        start = end
      }
      if (this.#count === 0) this.#firstPage = page
      if (operation === op.patch) {
        this.hasPatches = true
        this.hasMoves ||= hasMoves(values.subarray(end, end + length))
      }
      putRecord(this.#directory, this.#previousInBlock, page, operation, length)
      this.#count++
      this.#previousInBlock = page
      this.#previousPage = page
      end += length
    }
    if (end !== values.length)
      throw new HoldfastError('INTERNAL', 'The values of a record batch do not match its lengths.')
    this.#hold(values, start, end)
    if (this.#valuesLength >= maxBlockValues) yield* this.flush()
    this.records += count
    this.rawBytes += end
  }

  /** The block begun, if any. */
  *flush(): Generator<RawBlock> {
    if (this.#count === 0) return
    const head = new ByteWriter(8)
    head.varint(this.#count)
    head.bytes(this.#directory.view())
    yield { type: blockType.records, count: this.#count, firstKey: this.#firstPage, ...this.#payload(head.view()) }
    this.#directory.clear()
    this.#block = undefined
    this.#valuesLength = 0
    this.#count = 0
    this.#previousInBlock = 0
  }

  #payload(head: Uint8Array): Pick<RawBlock, 'payload' | 'release'> {
    const block = this.#block
    if (block === undefined) return { payload: Uint8Array.from(head) }
    const release = () => this.#memory.give(block)
    const end = headRoom + this.#valuesLength
    if (head.length > headRoom) return { payload: Buffer.concat([head, block.subarray(headRoom, end)]), release }
    block.set(head, headRoom - head.length)
    return { payload: block.subarray(headRoom - head.length, end), release }
  }

  #hold(values: Uint8Array, start: number, end: number): void {
    if (start === end) return
    this.#block ??= this.#memory.take(headRoom + Math.max(maxBlockValues, end - start))
    this.#block.set(values.subarray(start, end), headRoom + this.#valuesLength)
    this.#valuesLength += end - start
  }

  #check(page: number, operation: number, length: number): void {
    if (page < 1 || page > maxPage) throw new HoldfastError('INTERNAL', `Page ${page} is impossible.`)
    if (this.#ascending && page <= this.#previousPage) {
      throw new HoldfastError('INTERNAL', `Page ${page} follows page ${this.#previousPage}; pages must ascend.`)
    }
    const fits =
      operation === op.full
        ? length === this.#pageSize
        : operation === op.patch && !this.#fullOnly && length <= maxPatchLength(this.#pageSize)
    if (!fits)
      throw new HoldfastError('INTERNAL', `Page ${page} has an impossible record (${operation}, ${length} bytes).`)
  }
}
