/** The program of a worker: follows databases, which only this process opens. Forked by the agent. */
import type { Capture } from '../../capture/capture.ts'
import { type CaptureControl, listenForRequests } from '../../capture/control/capture-control.ts'
import { followDatabase } from '../../capture/follow-database.ts'
import { throttleProgress } from '../../engine/progress-event.ts'
import { serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { Repository } from '../../repository/repository.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import { workerApi } from './worker-api.ts'

const captures = new Map<string, Capture>()
let control: Promise<CaptureControl | undefined> | undefined

serve(workerApi, {
  follow: async ({ path, database, storage: address, request }, { signal, emit, host }) => {
    if (captures.has(database))
      throw new HoldfastError('USAGE', `${database} is followed already.`, { object: database })
    control ??= listenForRequests((message) => emit({ kind: 'warning', message }))
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const source = { ...sqlite(path), defaultName: database }
      const options = { ...request, database, control: await control, signal, onEvent: emit }
      const capture = await followDatabase(source, repository, options)
      captures.set(database, capture)
      try {
        await capture.done
        return await capture.stop()
      } finally {
        captures.delete(database)
      }
    } finally {
      await storage.close()
    }
  },
  sync: async (database, { signal }) => await captureOf(database).sync({ signal }),
  status: async () => Object.fromEntries([...captures].map(([database, { status }]) => [database, status])),
  stop: async ({ database, waitMs }) => await captureOf(database).stop({ waitMs }),
  backUp: async ({ database, request }, { signal, emit }) =>
    await captureOf(database).backUp({ ...request, signal, onProgress: throttleProgress(emit) }),
})

function captureOf(database: string): Capture {
  const capture = captures.get(database)
  if (capture !== undefined) return capture
  throw new HoldfastError('NOT_RUNNING', `${database} is not followed at the moment.`, { object: database })
}
