/** The program of the examiner: opens a database that another process follows, beside it. */
import { randomBytes } from 'node:crypto'
import { throttleProgress } from '../../engine/progress-event.ts'
import { serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { toLsn, zeroLsn } from '../../history/lsn.ts'
import { emptyState, formatState } from '../../history/state-checksum.ts'
import { Repository } from '../../repository/repository.ts'
import { fullBatch } from '../../segment/full-batch.ts'
import type { SegmentHeader } from '../../segment/segment.ts'
import type { SourceSnapshot } from '../../source/source.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import { PageCounter } from '../changed-pages.ts'
import { readBack, storeSegment } from '../store-segment.ts'
import { examinerApi } from './engine-api.ts'

let held: SourceSnapshot | undefined

serve(examinerApi, {
  open: async ({ path, busyTimeoutMs }, { signal }) => {
    held = await sqlite(path).openSnapshot({ busyTimeoutMs, signal })
    const { pageSize, pageCount, capturedAt, blocksWriters } = held
    return { pageSize, pageCount, capturedAt, blocksWriters }
  },
  inspect: async ({ validation, rowCounts }, { signal }) => await state().inspect({ validation, rowCounts, signal }),
  hash: async (_input, { signal, emit }) => {
    const { pageCount, pageSize } = state()
    const counter = new PageCounter()
    const report = throttleProgress(emit)
    const total = pageCount * pageSize
    const pages = counter.count(state().pages({ signal }), (done) =>
      report({ phase: 'copy', done, total, unit: 'bytes' }),
    )
    for await (const _ of pages);
    return formatState(counter.state)
  },
  storeBase: async ({ storage: address, database: name, lsn, time, epoch, codec, level }, { signal, emit, host }) => {
    const { pageSize, pageCount } = state()
    const report = throttleProgress(emit)
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const database = (await Repository.open(storage, { signal })).database(name)
      const counter = new PageCounter()
      const total = pageCount * pageSize
      const pages = counter.count(state().pages({ signal }), (done) =>
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
    } finally {
      await storage.close()
    }
  },
})

function state(): SourceSnapshot {
  if (held === undefined) throw new HoldfastError('INTERNAL', 'The examiner holds no state yet.')
  return held
}
