import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../errors.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { formatState } from '../../history/state-checksum.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { segmentKey } from '../../repository/layout.ts'
import { findDamage } from '../../segment/damage-report.ts'
import type { SegmentReader } from '../../segment/read-segment.ts'
import type { CommitEntry, RecordBatch } from '../../segment/segment.ts'
import { writeSegment } from '../../segment/write-segment.ts'
import type { OperationOptions } from '../../storage/storage.ts'

export interface MergeLogsOptions extends OperationOptions {
  readonly level?: number | undefined
}

/**
 * Publishes one log with the commits of neighbouring ones, and reads it back. What it was made of stays. In constant memory, but
 * for the commit table and one log's page table.
 * @throws INTEGRITY if the logs do not follow one another by content, STORAGE_*, DISK_FULL
 */
export async function mergeLogs(
  database: DatabaseRepository,
  run: readonly SegmentInfo[],
  { level, signal }: MergeLogsOptions = {},
): Promise<SegmentInfo> {
  const readers: SegmentReader[] = []
  for (const info of run) readers.push(await database.openSegment(info, { signal }))
  const [first] = readers
  const last = readers.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('There is nothing to merge.')
  assertContinuous(run, readers)
  const commits: CommitEntry[] = []
  for (const reader of readers) for await (const commit of reader.commits({ signal })) commits.push(commit)
  const { header } = first
  const { end } = last
  const stream = writeSegment({ ...header, salt: randomBytes(16) }, recordsOf(readers, signal), () => end, {
    level,
    signal,
    commits: () => commits,
  })
  const range = {
    kind: 'log',
    from: header.from,
    to: end.to,
    epoch: header.epoch,
    firstTime: header.firstTime,
    lastTime: end.lastTime,
  } as const
  const key = segmentKey(database.name, range)
  const { conditionalCreate } = database.repository.capabilities
  await database.storage.put(key, stream, { signal, ifAbsent: conditionalCreate })
  const merged = { ...range, bytes: stream.totals().storedBytes, key }
  await assertStored(database, merged, end.endState, signal)
  return merged
}

/** A record's own hash is not kept; of each page only the last one counts, which its log's page table has. */
async function* recordsOf(
  readers: readonly SegmentReader[],
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  for (const reader of readers) {
    const table = new Map<number, bigint>()
    for await (const { pages, hashes } of reader.pageTable({ signal }))
      for (const [at, page] of pages.entries()) table.set(page, hashes[at] ?? 0n)
    for await (const { pages, ops, lengths, values } of reader.records({ signal })) {
      // A page that is missing there was cut off again; if it comes back, a later log has its hash.
      yield { pages, ops, lengths, values, hashes: BigUint64Array.from(pages, (page) => table.get(page) ?? 0n) }
    }
  }
}

function assertContinuous(run: readonly SegmentInfo[], readers: readonly SegmentReader[]): void {
  readers.forEach((reader, at) => {
    const before = readers[at - 1]
    if (before === undefined) return
    const { header } = reader
    const follows =
      header.startState === before.end.endState &&
      header.from === before.end.to &&
      header.pageSize === before.header.pageSize
    if (follows) return
    throw new HoldfastError(
      'INTEGRITY',
      `The log ${run[at]?.key} begins at state ${formatState(header.startState)}, but the one before it ends at ${formatState(before.end.endState)}.`,
      { object: run[at]?.key, hint: 'Run "holdfast verify" to see what is affected.' },
    )
  })
}

async function assertStored(
  database: DatabaseRepository,
  info: SegmentInfo,
  endState: bigint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = await database.openSegment(info, { signal })
  const [damage] = await findDamage(reader.checkStored({ signal }))
  if (damage === undefined && reader.end.endState === endState) return
  throw new HoldfastError('STORAGE_CORRUPT', damage?.message ?? `The storage answers with another ${info.key}.`, {
    object: info.key,
  })
}
