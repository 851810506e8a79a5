/** The program of the capture engine: follows one database, which only this process opens. Forked by the library. */
import { serve } from '../engine/serve.ts'
import { openLinkedStorage } from '../engine/storage-link.ts'
import { Repository } from '../repository/repository.ts'
import { sqlite } from '../source/sqlite/sqlite-source.ts'
import type { Capture } from './capture.ts'
import { listenForRequests } from './control/capture-control.ts'
import { captureApi } from './engine-api.ts'
import { followDatabase } from './follow-database.ts'

/** The host asks for nothing else before following has begun. */
const begun = Promise.withResolvers<Capture>()
begun.promise.catch(() => {})

serve(captureApi, {
  follow: async ({ path, defaultName, storage: address, request }, { signal, emit, host }) => {
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const source = { ...sqlite(path), defaultName }
      await using control = await listenForRequests((message) => emit({ kind: 'warning', message }))
      const capture = await followDatabase(source, repository, { ...request, control, signal, onEvent: emit })
      begun.resolve(capture)
      await capture.done
      return await capture.stop()
    } catch (thrown) {
      begun.reject(thrown)
      throw thrown
    } finally {
      await storage.close()
    }
  },
  sync: async (_input, { signal }) => await (await begun.promise).sync({ signal }),
  status: async () => (await begun.promise).status,
  stop: async (options) => await (await begun.promise).stop(options),
})
