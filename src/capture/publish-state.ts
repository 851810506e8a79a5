/** Puts the present state of a database into the repository, past the spool: all of it, or what differs from another state. */
import { randomBytes } from 'node:crypto'
import { readBack, storeSegment } from '../backup/store-segment.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { Lease } from '../repository/lease.ts'
import type { RecordBatch, SegmentHeader } from '../segment/segment.ts'
import type { PageBatch } from '../source/page-batch.ts'
import type { HealContext, StartAnew } from './heal-context.ts'
import { StateHashing } from './state-hashing.ts'

export interface PublishedState {
  readonly segment: SegmentInfo
  readonly hashing: StateHashing
}

interface HeaderOf extends Pick<SegmentHeader, 'kind' | 'from' | 'startState' | 'epoch'> {
  /** When the state was seen, in milliseconds since 1970. */
  readonly time: number
}

interface PublishOptions extends HeaderOf {
  readonly lease: Lease
  /** Fires also when the lease is lost. */
  readonly signal: AbortSignal
  /** What is stored of a batch of pages, in memory of its own; undefined if nothing is. */
  readonly records: (batch: PageBatch) => RecordBatch | undefined
}

/** Begins following from that state once it is stored, and reads the segment back before it resolves. @throws STORAGE_*, LEASE_LOST, ABORTED */
export async function publishState(
  start: StartAnew,
  context: Pick<HealContext, 'database' | 'next' | 'level' | 'codec' | 'onTaken'>,
  { lease, signal, records, ...of }: PublishOptions,
): Promise<PublishedState> {
  const { database, next, level } = context
  context.onTaken()
  const hashing = new StateHashing(start.pageCount)
  async function* stored(): AsyncGenerator<RecordBatch> {
    for await (const batch of start.pages({ signal })) {
      hashing.add(batch)
      const kept = records(batch)
      if (kept !== undefined) yield kept
    }
    // Much time may have passed; with its last bytes the segment is published.
    await lease.confirm()
  }
  const header = headerOf(start, context, of)
  const range = { to: next, lastTime: of.time }
  const end = () => ({ ...range, endState: hashing.state, pageCount: start.pageCount })
  const put = await storeSegment(database, header, range, stored(), end, { level, signal, onStored: () => {} })
  // The database is let go before the segment is read back; nothing builds on it until then.
  await start.begin(hashing.hashes)
  await readBack(database, put, { signal, onRead: () => {} })
  return { segment: put.info, hashing }
}

export function headerOf(
  { pageSize }: Pick<StartAnew, 'pageSize'>,
  { codec }: Pick<HealContext, 'codec'>,
  { time, ...of }: HeaderOf,
): SegmentHeader {
  return { ...of, sourceKind: 'sqlite', pageSize, firstTime: time, codec, cipher: 'none', salt: randomBytes(16) }
}
