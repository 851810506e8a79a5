/**
 * When the repository stays away and the spool fills: neighbouring segments that wait become one delta. Single commits are no
 * longer addressable then, but the state at its end is, and the history goes on from there without a gap in content.
 */
import { randomBytes } from 'node:crypto'
import type { GapRecord } from '../../history/windows.ts'
import { type ComposedRecord, composeRecords } from '../../segment/composed-record.ts'
import { PageHashes } from '../../segment/page-hashes.ts'
import { openSegment, type SegmentReader } from '../../segment/read-segment.ts'
import { type Codec, op, type RecordBatch } from '../../segment/segment.ts'
import { gapReasons } from '../gap-reasons.ts'
import { OpenSegment, type OpenSegmentPlace } from './open-segment.ts'
import { type SpoolItem, spooledInput } from './spool-item.ts'

/** Pages are merged range by range, so many at once. */
const heldBytes = 64 * 1024 * 1024
const batchRecords = 64

/** @param run neighbours, at least one @throws DISK_FULL, INTEGRITY */
export async function coarsen(run: readonly SpoolItem[], place: OpenSegmentPlace, codec: Codec): Promise<SpoolItem> {
  const [first] = run
  const last = run.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('There is nothing to merge.')
  const { pageSize, startState } = first
  const { info, endState, pageCount, position } = last
  const readers: SegmentReader[] = []
  for (const { path, info: of } of run)
    readers.push(await openSegment(spooledInput(place.files, path, of.bytes), { object: path }))
  const segment = new OpenSegment(place, {
    sourceKind: 'sqlite',
    kind: 'delta',
    pageSize,
    from: first.info.from,
    epoch: info.epoch,
    firstTime: first.info.firstTime,
    startState,
    codec,
    cipher: 'none',
    salt: randomBytes(16),
  })
  try {
    for await (const batch of merged(readers, pageSize, pageCount)) await segment.add(batch)
    const end = { to: info.to, lastTime: info.lastTime, endState, pageCount }
    return await segment.finish(end, [], { position, gap: gapOf(run, first, last), pause: undefined })
  } catch (thrown) {
    await segment.discard()
    throw thrown
  }
}

/** From the state before the run to its end, whichever reasons came together there. */
function gapOf(run: readonly SpoolItem[], first: SpoolItem, last: SpoolItem): GapRecord {
  const reasons = new Set([...run.flatMap(({ gap }) => gap?.reason ?? []), gapReasons['spool-full']])
  return {
    fromLsn: first.info.from,
    toLsn: last.info.to,
    fromTime: Math.min(first.info.firstTime, beforeOf(first)?.fromTime ?? first.info.firstTime),
    toTime: last.info.lastTime,
    reason: [...reasons].join('; '),
  }
}

/** What lies right before it; the pause may have begun before, and be told of by another segment. */
function beforeOf({ info, gap, pause }: SpoolItem): { readonly fromTime: number } | undefined {
  return gap ?? (pause?.fromLsn === info.from ? pause : undefined)
}

async function* merged(
  readers: readonly SegmentReader[],
  pageSize: number,
  pageCount: number,
): AsyncGenerator<RecordBatch> {
  const table = new PageHashes()
  for (const reader of readers) for await (const { pages, hashes } of reader.pageTable()) table.add(pages, hashes)
  const { pages, hashes } = table.sorted(pageCount)
  const perRange = Math.max(batchRecords, Math.floor(heldBytes / pageSize))
  for (let start = 0; start < pages.length; start += perRange) {
    const range = pages.subarray(start, start + perRange)
    const records = await fold(readers, range, pageSize)
    for (let at = 0; at < range.length; at += batchRecords) {
      const part = range.slice(at, at + batchRecords)
      yield toBatch(part, hashes.slice(start + at, start + at + part.length), records)
    }
  }
}

/**
 * What the segments together do to the pages of a range. A page that was cut off and came back did so whole, which overrides what
 * was before; one that did not come back is in no range.
 */
async function fold(
  readers: readonly SegmentReader[],
  range: Uint32Array,
  pageSize: number,
): Promise<Map<number, ComposedRecord>> {
  const composed = new Map<number, ComposedRecord>()
  const wanted = new Set(range)
  for (const reader of readers) {
    for await (const block of reader.records()) {
      let offset = 0
      block.pages.forEach((page, at) => {
        const length = block.lengths[at] ?? 0
        const value = block.values.subarray(offset, offset + length)
        offset += length
        if (wanted.has(page))
          composed.set(page, composeRecords(composed.get(page), block.ops[at] === op.full, value, pageSize))
      })
    }
  }
  return composed
}

function toBatch(
  pages: Uint32Array,
  hashes: BigUint64Array,
  records: ReadonlyMap<number, ComposedRecord>,
): RecordBatch {
  const found = Array.from(pages, (page) => records.get(page) ?? { op: op.patch, value: new Uint8Array(0) })
  return {
    pages,
    hashes,
    ops: Uint8Array.from(found, (record) => record.op),
    lengths: Uint32Array.from(found, ({ value }) => value.length),
    values: Buffer.concat(found.map(({ value }) => value)),
  }
}
