/** The records of a merge, page by page, each with its hash, which is computed wherever the content is known and compared. */
import { HoldfastError } from '../../errors.ts'
import { addHash, emptyState, formatState, type StateChecksum } from '../../history/state-checksum.ts'
import type { ComposedRecord } from '../../segment/composed-record.ts'
import { PageHashes } from '../../segment/page-hashes.ts'
import { op, type RecordBatch } from '../../segment/segment.ts'
import { pageHash } from '../../util/page-hash.ts'
import { foldRun, pagesSet } from './fold-run.ts'
import type { RunPart } from './run-part.ts'

const mebibyte = 1024 * 1024
const batchRecords = 64

export interface MergedRecordsOptions {
  /** The merge begins at LSN 0 and yields a base. */
  readonly isBase: boolean
  /** Opens what leads to the state before the run; asked for only where that state's pages are needed. */
  readonly before: () => Promise<readonly RunPart[]>
  /** Pages are merged range by range, so many bytes at once; default 16 MiB. */
  readonly heldBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export async function* mergedRecords(
  parts: readonly RunPart[],
  { isBase, before, heldBytes = 16 * mebibyte, signal }: MergedRecordsOptions,
): AsyncGenerator<RecordBatch> {
  const last = parts.at(-1)
  if (last === undefined) throw new RangeError('There is nothing to merge.')
  const { pageSize } = last.reader.header
  const { pages, hashes, isUnknown } = await pagesOf(parts, last.end.pageCount, signal)
  const perRange = Math.max(1, Math.floor(heldBytes / pageSize))
  // One range after the other uses it; fresh memory for every page would be garbage faster than it is collected.
  const memory = new Uint8Array(Math.min(perRange, pages.length) * pageSize)
  let sum = emptyState
  let lead: readonly RunPart[] | undefined
  for (let start = 0; start < pages.length; start += perRange) {
    const range = pages.subarray(start, start + perRange)
    const records = await foldRun(parts, range, { fromNothing: isBase, memory, signal })
    const patched = range.filter((page) => isUnknown(page) && records.get(page)?.op === op.patch)
    if (patched.length > 0) lead ??= await before()
    const contents =
      lead === undefined || patched.length === 0
        ? new Map<number, ComposedRecord>()
        : await foldRun([...lead, ...parts], patched, { fromNothing: true, signal })
    for (let at = 0; at < range.length; at += batchRecords) {
      const numbers = range.slice(at, at + batchRecords)
      const known = hashes.subarray(start + at, start + at + numbers.length)
      const batch = toBatch(numbers, known, { records, contents, isUnknown, source: last.segment.key })
      for (const hash of batch.hashes) sum = addHash(sum, hash)
      yield batch
    }
  }
  if (isBase) assertSum(sum, last)
}

interface TouchedPages {
  /** Ascending, each of them there at the end of the run. */
  readonly pages: Uint32Array
  /** As the parts' indexes say; meaningless where it is unknown. */
  readonly hashes: BigUint64Array
  /** Set last by a log that is left before its end: its index does not tell the hash there. */
  readonly isUnknown: (page: number) => boolean
}

async function pagesOf(
  parts: readonly RunPart[],
  pageCount: number,
  signal: AbortSignal | undefined,
): Promise<TouchedPages> {
  const table = new PageHashes()
  const unknown = new Set<number>()
  for (const part of parts) {
    // Of a log that is entered late, the index also names what only its earlier commits set.
    const set = part.isToEnd && part.skip === 0 ? undefined : new Set<number>()
    if (set !== undefined) for await (const pages of pagesSet(part, signal)) for (const page of pages) set.add(page)
    if (part.isToEnd) {
      for await (const { pages, hashes } of part.reader.pageTable({ signal })) {
        for (const page of pages) if (set?.has(page) ?? true) unknown.delete(page)
        if (set === undefined) table.add(pages, hashes)
        else table.add(...those(pages, hashes, set))
      }
    } else if (set !== undefined) {
      for (const page of set) unknown.add(page)
      table.add(Uint32Array.from(set), new BigUint64Array(set.size))
    }
  }
  return { ...table.sorted(pageCount), isUnknown: (page) => unknown.has(page) }
}

function those(pages: Uint32Array, hashes: BigUint64Array, set: ReadonlySet<number>): [Uint32Array, BigUint64Array] {
  const kept = [...pages.keys()].filter((at) => set.has(pages[at] ?? 0))
  return [Uint32Array.from(kept, (at) => pages[at] ?? 0), BigUint64Array.from(kept, (at) => hashes[at] ?? 0n)]
}

interface Known {
  readonly records: ReadonlyMap<number, ComposedRecord>
  readonly contents: ReadonlyMap<number, ComposedRecord>
  readonly isUnknown: (page: number) => boolean
  readonly source: string
}

function toBatch(pages: Uint32Array, told: BigUint64Array, known: Known): RecordBatch {
  const found = Array.from(pages, (page, at) => {
    const record = known.records.get(page)
    if (record === undefined) throw damaged(known.source, `it names page ${page}, and no record sets that`)
    const content = record.op === op.full ? record : known.contents.get(page)
    const hash = content === undefined ? undefined : pageHash(page, content.value)
    if (known.isUnknown(page)) {
      if (hash === undefined) throw damaged(known.source, `page ${page} has a patch, and nothing tells of its content`)
      return { record, hash }
    }
    if (hash !== undefined && hash !== told[at])
      throw damaged(known.source, `page ${page} does not have the content that an index names`)
    return { record, hash: told[at] ?? 0n }
  })
  return {
    pages,
    hashes: BigUint64Array.from(found, ({ hash }) => hash),
    ops: Uint8Array.from(found, ({ record }) => record.op),
    lengths: Uint32Array.from(found, ({ record }) => record.value.length),
    values: joined(found.map(({ record }) => record.value)),
  }
}

/** Where they lie one behind the other, as whole pages do, they are taken as they are. */
function joined(values: readonly Uint8Array[]): Uint8Array {
  const [first] = values
  let end = first?.byteOffset
  for (const { buffer, byteOffset, length } of values) {
    if (first === undefined || buffer !== first.buffer || byteOffset !== end) return Buffer.concat(values)
    end = byteOffset + length
  }
  return first === undefined
    ? new Uint8Array(0)
    : new Uint8Array(first.buffer, first.byteOffset, (end ?? 0) - first.byteOffset)
}

function assertSum(sum: StateChecksum, { segment, end }: RunPart): void {
  if (sum === end.state) return
  throw damaged(segment.key, `its pages add up to ${formatState(sum)}, not to its state ${formatState(end.state)}`)
}

function damaged(key: string, why: string): HoldfastError {
  return new HoldfastError('INTEGRITY', `What leads to the end of ${key} cannot be merged: ${why}.`, {
    object: key,
    hint: 'Run "holdfast verify" to see which object is damaged.',
  })
}
