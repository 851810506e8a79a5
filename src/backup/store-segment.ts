/** Writes a segment, and reads it back; both before anything refers to it. */
import { HoldfastError, hasCode } from '../errors.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { segmentKey } from '../repository/layout.ts'
import { findDamage } from '../segment/damage-report.ts'
import type { RecordBatch, SegmentEnd, SegmentHeader, SegmentTotals } from '../segment/segment.ts'
import { writeSegment } from '../segment/write-segment.ts'

export interface StoreSegmentOptions {
  readonly level?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes given to the storage so far. */
  readonly onStored: (bytes: number) => void
}

export interface StoredSegment {
  readonly info: SegmentInfo
  readonly end: SegmentEnd
  readonly totals: SegmentTotals
}

/** Object key of a segment with that header and end. */
export function keyOf(
  database: DatabaseRepository,
  { kind, from, epoch, firstTime }: SegmentHeader,
  range: Pick<SegmentEnd, 'to' | 'lastTime'>,
): string {
  return segmentKey(database.name, { kind, from, epoch, firstTime, ...range })
}

export async function storeSegment(
  database: DatabaseRepository,
  header: SegmentHeader,
  range: Pick<SegmentEnd, 'to' | 'lastTime'>,
  batches: AsyncIterable<RecordBatch>,
  end: () => SegmentEnd,
  options: StoreSegmentOptions,
): Promise<StoredSegment> {
  const { kind, from, epoch, firstTime } = header
  const { level, signal } = options
  const key = keyOf(database, header, range)
  const stream = writeSegment(header, batches, end, { level, signal })
  const conditional = database.repository.capabilities.conditionalCreate
  await database.storage.put(key, counted(stream, options.onStored), { signal, ifAbsent: conditional })
  const totals = stream.totals()
  const info: SegmentInfo = { kind, from, epoch, firstTime, ...range, bytes: totals.storedBytes, key }
  return { info, end: end(), totals }
}

export interface ReadBackOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes read back so far, of all. */
  readonly onRead: (bytes: number, total: number) => void
}

/**
 * Each block was decompressed and compared before it was stored; here every stored byte is compared with what was sent.
 * @throws STORAGE_CORRUPT
 */
export async function readBack(
  database: DatabaseRepository,
  { info, end }: Omit<StoredSegment, 'totals'>,
  { signal, onRead }: ReadBackOptions,
): Promise<void> {
  const stored = await database.storage.head(info.key, { signal })
  if (stored?.size !== info.bytes) {
    throw new HoldfastError(
      'STORAGE_CORRUPT',
      `The storage holds ${stored?.size ?? 'no'} bytes of ${info.key} after ${info.bytes} were stored.`,
      { object: info.key },
    )
  }
  const reader = await openStored(database, info, signal)
  if (reader.end.endState !== end.endState) {
    throw new HoldfastError(
      'STORAGE_CORRUPT',
      `The storage answers for ${info.key} with something other than what was stored.`,
      { object: info.key },
    )
  }
  const [damage] = await findDamage(reader.checkStored({ signal }), ({ done, total }) => onRead(done, total))
  if (damage !== undefined) throw new HoldfastError('STORAGE_CORRUPT', damage.message, { object: info.key })
}

/** What was written a moment ago is neither old damage nor of a newer version: the storage did not keep it. */
async function openStored(database: DatabaseRepository, info: SegmentInfo, signal: AbortSignal | undefined) {
  try {
    return await database.openSegment(info, { signal })
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW')) throw error
    throw new HoldfastError('STORAGE_CORRUPT', error.message, { object: info.key, cause: error })
  }
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of stream) {
    yield chunk
    bytes += chunk.length
    onBytes(bytes)
  }
}

/** Takes back a segment that nothing refers to yet. If the storage refuses, what stays is harmless, and the failure that led here counts. */
export async function discardSegment(database: DatabaseRepository, key: string): Promise<void> {
  try {
    await database.storage.delete(key)
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
  }
}
