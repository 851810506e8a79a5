import { HoldfastError } from '../../errors.ts'
import { throwIfAborted } from '../../util/abort.ts'
import { lockPage } from '../../util/lock-page.ts'
import { pageHash } from '../../util/page-hash.ts'
import type { PageBatch } from '../page-batch.ts'
import { readFrames } from './log/frame-reader.ts'
import type { LogFile, PageMap } from './log/page-map.ts'
import { readFullyInto } from './log/read-fully.ts'
import type { PendingReads } from './pending-reads.ts'

/** Where each page of a frozen state lies. */
export interface PageSource {
  readonly location: string
  readonly pageSize: number
  readonly pageCount: number
  readonly database: number
  /** Size of the database file when the state was taken; SQLite reads zeros beyond it. */
  readonly fileBytes: number
  /** Pages whose newest version stands in the log; undefined if the file holds them all. */
  readonly log: LogPages | undefined
}

export interface LogPages {
  readonly file: LogFile
  readonly map: PageMap
}

const batchBytes = 256 * 1024
const batchesAtOnce = 4
/** Reads under way while a batch is with the consumer. */
const readsAhead = 2

interface Range {
  readonly first: number
  readonly count: number
}

/** Every page but the lock page, ascending. @throws DATABASE_CHANGED, ABORTED */
export async function* readPages(
  source: PageSource,
  pending: PendingReads,
  signal?: AbortSignal,
): AsyncGenerator<PageBatch, void, undefined> {
  const ranges = groupsOf(pageRanges(source.pageCount, source.pageSize), batchesAtOnce)
  const reads: Promise<readonly Batch[]>[] = []
  // Fresh memory for every batch would cost a third of the time of a backup, to have it and to collect it.
  const memory: Buffer[] = []
  for (;;) {
    while (reads.length < readsAhead) {
      const next = ranges.next()
      if (next.done) break
      const group = next.value
      reads.push(pending.run(() => readGroup(source, group, memory)))
    }
    throwIfAborted(signal)
    const batches = await reads.shift()
    if (batches === undefined) return
    for (const batch of batches) {
      throwIfAborted(signal)
      yield hashed(batch, source.pageSize)
      memory.push(batch.memory)
    }
  }
}

/** Ranges of a batch's size; the lock page splits them. */
function* pageRanges(pageCount: number, pageSize: number): Generator<Range, void, undefined> {
  const pagesAtOnce = batchBytes / pageSize
  const skipped = lockPage(pageSize)
  for (let first = 1; first <= pageCount; ) {
    if (first === skipped) first++
    const end = Math.min(first + pagesAtOnce, first < skipped ? skipped : Number.POSITIVE_INFINITY, pageCount + 1)
    if (end > first) yield { first, count: end - first }
    first = end
  }
}

/** Groups of neighbouring ranges, each read at once. */
function* groupsOf(ranges: Iterable<Range>, size: number): Generator<[Range, ...Range[]], void, undefined> {
  let group: [Range, ...Range[]] | undefined
  let end = 0
  for (const range of ranges) {
    if (group === undefined || group.length === size || range.first !== end) {
      if (group) yield group
      group = [range]
    } else {
      group.push(range)
    }
    end = range.first + range.count
  }
  if (group) yield group
}

interface Batch extends Range {
  readonly values: Buffer
  /** What `values` lies in. */
  readonly memory: Buffer
}

/** Takes memory from `free` as long as there is some; never gives it back itself, as a failed read may still be writing to it. */
async function readGroup(
  source: PageSource,
  ranges: readonly [Range, ...Range[]],
  free: Buffer[],
): Promise<readonly Batch[]> {
  const batches = ranges.map((range) => {
    const memory = free.pop() ?? Buffer.allocUnsafeSlow(batchBytes)
    return { ...range, memory, values: memory.subarray(0, range.count * source.pageSize) }
  })
  try {
    await readFromFile(source, ranges[0].first, batches)
    if (source.log) await readFromLog(source.log, source.pageSize, batches)
  } catch (thrown) {
    if (thrown instanceof HoldfastError) throw thrown
    throw new HoldfastError('DATABASE_CHANGED', `${source.location} can no longer be read.`, {
      object: source.location,
      cause: thrown,
      hint: 'Look at the health of the disk or of the network that the file lies on.',
    })
  }
  return batches
}

async function readFromLog(log: LogPages, pageSize: number, batches: readonly Batch[]): Promise<void> {
  for (const { first, values } of batches) await readFrames(log.file, log.map, { first, values, pageSize })
}

/** Fills the batches from the database file, unless the log has every page of theirs. */
async function readFromFile(source: PageSource, firstPage: number, batches: readonly Batch[]): Promise<void> {
  const { log, location } = source
  if (log && batches.every((batch) => isInLog(log.map, batch))) return
  const position = (firstPage - 1) * source.pageSize
  let left = Math.max(0, source.fileBytes - position)
  const targets: Buffer[] = []
  for (const { values } of batches) {
    const filled = Math.min(left, values.length)
    values.fill(0, filled)
    if (filled > 0) targets.push(values.subarray(0, filled))
    left -= filled
  }
  const wanted = targets.reduce((sum, target) => sum + target.length, 0)
  if (wanted > 0 && (await readFullyInto(source.database, targets, position)) < wanted) {
    throw new HoldfastError('DATABASE_CHANGED', `${location} became shorter while it was read.`, {
      object: location,
      hint: 'Something cut the file without regard to its locks. Check the database, then run it again.',
    })
  }
}

function isInLog(map: PageMap, { first, count }: Range): boolean {
  for (let page = first; page < first + count; page++) if (map.frames[page] === 0) return false
  return true
}

function hashed({ first, count, values }: Batch, pageSize: number): PageBatch {
  const pages = new Uint32Array(count)
  const hashes = new BigUint64Array(count)
  for (let index = 0; index < count; index++) {
    pages[index] = first + index
    hashes[index] = pageHash(first + index, values.subarray(index * pageSize, (index + 1) * pageSize))
  }
  return { pages, values, hashes }
}
