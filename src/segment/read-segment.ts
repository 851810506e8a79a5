import { HoldfastError } from '../errors.ts'
import type { BlockTable } from './block-table.ts'
import { type BlockType, blockType } from './block-type.ts'
import { checkContents } from './check-contents.ts'
import { checkStored } from './check-stored.ts'
import { CodecPool } from './codec.ts'
import { decodeCommits } from './commit-table.ts'
import type { CheckOptions, CheckProgress } from './damage-report.ts'
import { type FetchOptions, fetchPayloads } from './fetch-blocks.ts'
import { type OpenedSegment, type OpenSegmentOptions, openIndex } from './opened-segment.ts'
import { decodePageTable, type PageTablePart } from './page-table.ts'
import { type DecodedBlock, decodeRecords } from './records-block.ts'
import type { CommitEntry, SegmentEnd, SegmentHeader, SegmentTotals } from './segment.ts'
import type { SegmentInput } from './segment-input.ts'
import { damageOf } from './stored-blocks.ts'

export type { DecodedBlock } from './records-block.ts'
export type { SegmentInput } from './segment-input.ts'

export interface ReadBlocksOptions extends FetchOptions {
  /** Which blocks, by slot; default all. They come in ascending order whatever the order here. */
  readonly blocks?: Iterable<number> | ((slot: number) => boolean) | undefined
}

/**
 * Reads a segment's index: one range read of its last 64 KiB, and one more if the index is larger.
 * @throws FORMAT_TOO_NEW if a later version wrote it, INTEGRITY if it is damaged, ABORTED
 */
export async function openSegment(input: SegmentInput, options: OpenSegmentOptions = {}): Promise<SegmentReader> {
  return new SegmentReader(await openIndex(input, options))
}

/** An open segment. Holds its index in memory and nothing else; there is nothing to close. Its methods may run side by side. */
export class SegmentReader {
  readonly #segment: OpenedSegment

  constructor(segment: OpenedSegment) {
    this.#segment = segment
  }

  get header(): SegmentHeader {
    return this.#segment.header
  }

  get end(): SegmentEnd {
    return this.#segment.end
  }

  get totals(): SegmentTotals {
    return this.#segment.totals
  }

  get blocks(): BlockTable {
    return this.#segment.blocks
  }

  /** Records, block by block. @throws INTEGRITY at the first damaged block */
  records(options: ReadBlocksOptions = {}): AsyncGenerator<DecodedBlock, void, undefined> {
    const { blocks, header, totals } = this.#segment
    return this.#decoded(blockType.records, options, (slot, payload, release) => ({
      ...decodeRecords(slot, payload, blocks.entries(slot), header.pageSize, totals),
      release,
    }))
  }

  /** The distinct pages that the segment sets, ascending, with their hashes at its end. @throws INTEGRITY */
  pageTable(options: ReadBlocksOptions = {}): AsyncGenerator<PageTablePart, void, undefined> {
    const { blocks } = this.#segment
    return this.#decoded(blockType.pageTable, options, (slot, payload) =>
      decodePageTable(payload, blocks.entries(slot)),
    )
  }

  /** The commits of a log, in order; none for a base or delta. @throws INTEGRITY */
  async *commits(options: FetchOptions = {}): AsyncGenerator<CommitEntry, void, undefined> {
    const { blocks } = this.#segment
    const parts = this.#decoded(blockType.commitTable, options, (slot, payload) =>
      decodeCommits(payload, blocks.entries(slot)),
    )
    for await (const part of parts) yield* part
  }

  /**
   * Reads the whole object once and checks every byte against the checksums, without decompressing. Damage is in the results,
   * block by block; it is not thrown. {@link findDamage} collects it.
   */
  checkStored(options: CheckOptions = {}): AsyncGenerator<CheckProgress, void, undefined> {
    return checkStored(this.#segment, options)
  }

  /**
   * Everything that {@link checkStored} checks, and more: decompresses every block, hashes every FULL record against the page
   * table, and checks counts, order, commits and a base's state checksum. Takes 17 bytes of memory for every page set.
   */
  checkContents(options: CheckOptions = {}): AsyncGenerator<CheckProgress, void, undefined> {
    return checkContents(this.#segment, options)
  }

  async *#decoded<T>(
    type: BlockType,
    options: ReadBlocksOptions,
    decode: (slot: number, payload: Uint8Array, release: () => void) => T,
  ): AsyncGenerator<T, void, undefined> {
    using codecs = new CodecPool()
    const slots = chosen(this.#segment.blocks.slots(type), options.blocks)
    for await (const { slot, bytes, release } of fetchPayloads(this.#segment, codecs, slots, options)) {
      if (bytes instanceof HoldfastError) throw bytes
      yield decodeNamed(this.#segment, slot, () => decode(slot, bytes, release))
    }
  }
}

function decodeNamed<T>(segment: OpenedSegment, slot: number, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw damageOf(segment, slot, error)
  }
}

function* chosen(slots: Iterable<number>, choice: ReadBlocksOptions['blocks']): Generator<number> {
  const wanted = choice === undefined || typeof choice === 'function' ? choice : setTest(new Set(choice))
  for (const slot of slots) if (wanted === undefined || wanted(slot)) yield slot
}

function setTest(set: ReadonlySet<number>): (slot: number) => boolean {
  return (slot) => set.has(slot)
}
