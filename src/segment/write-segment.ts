import { availableParallelism } from 'node:os'
import { HoldfastError } from '../errors.ts'
import { hash64 } from '../util/page-hash.ts'
import { BlockBuilder } from './block-builder.ts'
import { type BlockSealer, identitySealer } from './block-sealer.ts'
import { BlockTableWriter } from './block-table.ts'
import type { RawBlock } from './block-type.ts'
import { CodecPool } from './codec.ts'
import { encodeCommitTable } from './commit-table.ts'
import { throwIfAborted } from './damage.ts'
import { encodeHeader } from './header.ts'
import { trailerLength } from './limits.ts'
import { orderedMap } from './ordered-map.ts'
import { PageHashes } from './page-hashes.ts'
import { encodePageTable, type PageTablePart } from './page-table.ts'
import { encodeRoot } from './root.ts'
import type { Codec, CommitEntry, RecordBatch, SegmentEnd, SegmentHeader, SegmentTotals } from './segment.ts'
import { encodeTrailer } from './trailer.ts'

export interface WriteSegmentOptions {
  /** Compression level; default 1 for zstd, 6 for gzip. Zstd has -50 to -2 and 1 to 19, gzip 1 to 9. */
  readonly level?: number | undefined
  /** Blocks compressed at once; default twice the number of cores, at most 16. */
  readonly concurrency?: number | undefined
  /** Decompress every block and compare it before it is given out; default true. */
  readonly verify?: boolean | undefined
  /** Contexts of the header's codec and this level, kept from segment to segment; default: some for this one alone. */
  readonly codecs?: CodecPool | undefined
  readonly sealer?: BlockSealer | undefined
  readonly signal?: AbortSignal | undefined
  /** The commits of a log, in order; asked for after the last batch and `end`. */
  readonly commits?: (() => Iterable<CommitEntry>) | undefined
}

/** The bytes of a segment file, to be read once. A chunk's memory is used again once the next is asked for. */
export interface SegmentStream extends AsyncIterable<Uint8Array> {
  /** What was written; known once the last byte has been taken. */
  totals(): SegmentTotals
  /** The pages that are set, ascending, and the hash that each has at the end; known once the last byte has been taken. */
  set(): PageTablePart
}

/**
 * Writes a segment in one pass and in constant memory (twelve bytes a page set, besides the blocks under way).
 *
 * @param batches records; a batch's memory may be used again once the next is asked for
 * @param end asked for once, after the last batch
 * @throws INTEGRITY if a block does not read back, ABORTED, INTERNAL for records that a segment of this kind cannot hold, USAGE
 * for an unknown compression level, and whatever `batches` throws; all while the bytes are being read
 */
export function writeSegment(
  header: SegmentHeader,
  batches: AsyncIterable<RecordBatch>,
  end: () => SegmentEnd | Promise<SegmentEnd>,
  options: WriteSegmentOptions = {},
): SegmentStream {
  const writer = new SegmentWriter(header, batches, end, options)
  const bytes = writer.write()
  return {
    [Symbol.asyncIterator]: () => bytes,
    totals: () => {
      if (writer.totals === undefined) throw unfinished()
      return writer.totals
    },
    set: () => {
      if (writer.set === undefined) throw unfinished()
      return writer.set
    },
  }
}

function unfinished(): HoldfastError {
  return new HoldfastError('INTERNAL', 'The segment is not written to its end yet.')
}

class SegmentWriter {
  readonly #header: SegmentHeader
  readonly #batches: AsyncIterable<RecordBatch>
  readonly #askEnd: () => SegmentEnd | Promise<SegmentEnd>
  readonly #options: WriteSegmentOptions
  readonly #sealer: BlockSealer
  readonly #builder: BlockBuilder
  readonly #pages = new PageHashes()
  readonly #table = new BlockTableWriter()
  #end: SegmentEnd | undefined
  totals: SegmentTotals | undefined
  set: PageTablePart | undefined

  constructor(
    header: SegmentHeader,
    batches: AsyncIterable<RecordBatch>,
    askEnd: () => SegmentEnd | Promise<SegmentEnd>,
    options: WriteSegmentOptions,
  ) {
    this.#header = header
    this.#batches = batches
    this.#askEnd = askEnd
    this.#options = options
    this.#sealer = options.sealer ?? identitySealer
    this.#builder = new BlockBuilder(header)
  }

  async *write(): AsyncGenerator<Uint8Array, void, undefined> {
    const concurrency = this.#options.concurrency ?? Math.min(16, 2 * availableParallelism())
    using own = new DisposableStack()
    const codecs = this.#options.codecs ?? own.use(new CodecPool(this.#header.codec, this.#options.level))
    const headerBytes = encodeHeader(this.#header)
    yield headerBytes
    const blocks = orderedMap(this.#rawBlocks(), concurrency, async (block) => ({
      ...(await this.#compress(codecs, block.payload)),
      block,
    }))
    for await (const { block, body, codec } of blocks) {
      throwIfAborted(this.#options.signal)
      const slot = this.#table.count
      const stored = this.#sealer.seal(slot, body)
      this.#table.add({
        type: block.type,
        codec,
        storedLength: stored.length,
        rawLength: block.payload.length,
        count: block.count,
        firstKey: block.firstKey,
        checksum: hash64(stored, BigInt(slot)),
      })
      yield stored
      codecs.recycle(body)
      block.release?.()
    }
    yield* this.#rootAndTrailer(codecs, headerBytes)
  }

  async *#rawBlocks(): AsyncGenerator<RawBlock> {
    const ascending = this.#header.kind !== 'log'
    for await (const batch of this.#batches) {
      throwIfAborted(this.#options.signal)
      yield* this.#builder.add(batch)
      if (ascending) this.#pages.append(batch.pages, batch.hashes)
      else this.#pages.add(batch.pages, batch.hashes)
    }
    yield* this.#builder.flush()
    const end = await this.#askEnd()
    this.#end = end
    if (ascending && this.#builder.lastPage > end.pageCount) {
      throw new HoldfastError('INTERNAL', `Page ${this.#builder.lastPage} lies beyond the last page, ${end.pageCount}.`)
    }
    this.set = this.#pages.sorted(end.pageCount)
    yield* encodePageTable(this.set)
    if (ascending) return
    const bounds = { header: this.#header, end, records: this.#builder.records }
    yield* encodeCommitTable(this.#options.commits?.() ?? [], bounds)
  }

  async *#rootAndTrailer(codecs: CodecPool, headerBytes: Uint8Array): AsyncGenerator<Uint8Array> {
    if (this.#end === undefined) throw new HoldfastError('INTERNAL', 'The segment has no end.')
    const { records, rawBytes, hasPatches, hasMoves } = this.#builder
    const raw = encodeRoot(
      headerBytes,
      { end: this.#end, records, rawBytes, hasPatches, hasMoves },
      this.#table.bytes(),
    )
    const { body, codec } = await this.#compress(codecs, raw)
    const root = this.#sealer.seal(this.#table.count, body)
    yield root
    yield encodeTrailer(
      { rootOffset: this.#table.end, rootStoredLength: root.length, rootRawLength: raw.length, rootCodec: codec },
      root,
    )
    this.totals = {
      blocks: this.#table.count,
      records,
      rawBytes,
      hasPatches,
      hasMoves,
      storedBytes: this.#table.end + root.length + trailerLength,
    }
  }

  async #compress(codecs: CodecPool, raw: Uint8Array): Promise<{ body: Uint8Array; codec: Codec }> {
    const compressed = await codecs.compress(raw)
    if (compressed === undefined) return { body: raw, codec: 'none' }
    const { codec } = this.#header
    if (this.#options.verify !== false) {
      const back = await codecs.decompress(codec, compressed, raw.length)
      const differs = Buffer.compare(back, raw) !== 0
      codecs.recycle(back)
      if (differs) {
        throw new HoldfastError('INTEGRITY', 'A block that was just compressed does not decompress to what it was.', {
          hint: 'Memory or the processor may be faulty; nothing was published. Run the backup again and check the machine.',
        })
      }
    }
    return { body: compressed, codec }
  }
}
