import { randomBytes } from 'node:crypto'
import { toLsn, zeroLsn } from '../../history/lsn.ts'
import { emptyState, formatState } from '../../history/state-checksum.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { fullBatch } from '../../segment/full-batch.ts'
import type { SegmentHeader } from '../../segment/segment.ts'
import type { SourceSnapshot } from '../../source/source.ts'
import type { OnProgress } from '../../util/progress.ts'
import { PageCounter } from '../changed-pages.ts'
import { readBack, storeSegment } from '../store-segment.ts'
import type { BasePlace, StoredBase } from './engine-api.ts'

/** Stores every page of a state as a base, and reads it back. @throws STORAGE_*, DISK_FULL, DATABASE_CHANGED, ABORTED */
export async function storeBase(
  snapshot: SourceSnapshot,
  database: DatabaseRepository,
  { lsn, time, epoch, codec, level }: Omit<BasePlace, 'storage' | 'database'>,
  { signal, report }: { readonly signal?: AbortSignal | undefined; readonly report: OnProgress },
): Promise<StoredBase> {
  const { pageSize, pageCount } = snapshot
  const counter = new PageCounter()
  const total = pageCount * pageSize
  const pages = counter.count(snapshot.pages({ signal }), (done) =>
    report({ phase: 'copy', done, total, unit: 'bytes' }),
  )
  async function* records() {
    for await (const batch of pages) yield fullBatch(batch, pageSize)
  }
  const header: SegmentHeader = {
    sourceKind: 'sqlite',
    kind: 'base',
    pageSize,
    from: zeroLsn,
    epoch,
    firstTime: time,
    startState: emptyState,
    codec,
    cipher: 'none',
    salt: randomBytes(16),
  }
  const range = { to: toLsn(lsn), lastTime: time }
  const end = () => ({ ...range, endState: counter.state, pageCount })
  const stored = await storeSegment(database, header, range, records(), end, { level, signal, onStored: () => {} })
  await readBack(database, stored, {
    signal,
    onRead: (done, all) => report({ phase: 'verify', done, total: all, unit: 'bytes' }),
  })
  const { records: count, rawBytes, storedBytes } = stored.totals
  return { key: stored.info.key, pages: count, rawBytes, storedBytes, state: formatState(stored.end.endState) }
}
