/**
 * What a run of segments does to the pages of a range, in memory that does not grow with the run. A page that was cut off and came
 * back did so whole, which overrides what was before.
 */
import { HoldfastError } from '../../errors.ts'
import { blockType } from '../../segment/block-type.ts'
import { type ComposedRecord, composeRecords } from '../../segment/composed-record.ts'
import type { DecodedBlock } from '../../segment/read-segment.ts'
import { op } from '../../segment/segment.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { RunPart } from './run-part.ts'

export interface FoldOptions extends OperationOptions {
  /** The run begins at LSN 0, where no page has a former value. */
  readonly fromNothing: boolean
  /** Memory for all of the pages, in their order: the whole ones are put there. Default: each gets its own. */
  readonly memory?: Uint8Array | undefined
}

/** @param pages ascending @throws INTEGRITY, STORAGE_*, ABORTED */
export async function foldRun(
  parts: readonly RunPart[],
  pages: Uint32Array,
  { fromNothing, memory, signal }: FoldOptions,
): Promise<Map<number, ComposedRecord>> {
  const composed = new Map<number, ComposedRecord>()
  const places = new Map(Array.from(pages, (page, at) => [page, at]))
  for (const part of parts) {
    const { pageSize } = part.reader.header
    for await (const { block, start, end } of blocksOf(part, pages, signal)) {
      let offset = 0
      for (let at = 0; at < end; at += 1) {
        const length = block.lengths[at] ?? 0
        const page = block.pages[at] ?? 0
        const value = block.values.subarray(offset, offset + length)
        offset += length
        const place = places.get(page)
        if (at < start || place === undefined) continue
        const older = composed.get(page)
        const isFull = block.ops[at] === op.full
        if (!isFull && older === undefined && fromNothing) throw patchOverNothing(part, page)
        const held = isFull ? memory?.subarray(place * pageSize, (place + 1) * pageSize) : undefined
        held?.set(value)
        composed.set(page, held ? { op: op.full, value: held } : composeRecords(older, isFull, value, pageSize))
      }
      block.release?.()
    }
  }
  return composed
}

/** Numbers of the pages that a part sets, block by block, with repetitions. */
export async function* pagesSet(part: RunPart, signal: AbortSignal | undefined): AsyncGenerator<Uint32Array> {
  for await (const { block, start, end } of blocksOf(part, undefined, signal)) {
    yield block.pages.slice(start, end)
    block.release?.()
  }
}

interface BlockPart {
  readonly block: DecodedBlock
  /** Index of the first record that belongs to the part, and the index after the last. */
  readonly start: number
  readonly end: number
}

/** @param pages ascending; where it is given, blocks without any of them are left out as far as the index tells */
async function* blocksOf(
  part: RunPart,
  pages: Uint32Array | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<BlockPart> {
  const { blocks, header, end } = part.reader
  const slots = [...blocks.slots(blockType.records)]
  const last = part.skip + part.records
  const starts = new Map<number, number>()
  let records = 0
  const chosen = slots.filter((slot, i) => {
    const start = records
    records += blocks.entries(slot)
    starts.set(slot, start)
    if (start >= last || records <= part.skip) return false
    if (pages === undefined || header.kind === 'log') return true
    const next = slots[i + 1]
    const bound = next === undefined ? end.pageCount + 1 : blocks.firstKey(next)
    return hasAny(pages, blocks.firstKey(slot), bound)
  })
  for await (const block of part.reader.records({ blocks: chosen, signal })) {
    const at = starts.get(block.slot) ?? 0
    yield { block, start: Math.max(0, part.skip - at), end: Math.min(block.pages.length, last - at) }
  }
}

/** Whether there is a page from `first` on and before `end`. */
function hasAny(pages: Uint32Array, first: number, end: number): boolean {
  let low = 0
  let high = pages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((pages[middle] ?? 0) < first) low = middle + 1
    else high = middle
  }
  const page = pages[low]
  return page !== undefined && page < end
}

function patchOverNothing({ segment }: RunPart, page: number): HoldfastError {
  return new HoldfastError('INTEGRITY', `${segment.key} changes page ${page}, which has no former value.`, {
    object: segment.key,
    hint: 'Run "holdfast verify" to see which backups are affected.',
  })
}
