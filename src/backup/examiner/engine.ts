/** The program of the examiner: opens a database that another process follows, beside it. */
import { throttleProgress } from '../../engine/progress-event.ts'
import { serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { formatState } from '../../history/state-checksum.ts'
import { Repository } from '../../repository/repository.ts'
import type { SourceSnapshot } from '../../source/source.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import { PageCounter } from '../changed-pages.ts'
import { examinerApi } from './engine-api.ts'
import { storeBase } from './store-base.ts'

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
  storeBase: async ({ storage: address, database, ...place }, { signal, emit, host }) => {
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const report = throttleProgress(emit)
      return await storeBase(state(), repository.database(database), place, { signal, report })
    } finally {
      await storage.close()
    }
  },
})

function state(): SourceSnapshot {
  if (held === undefined) throw new HoldfastError('INTERNAL', 'The examiner holds no state yet.')
  return held
}
