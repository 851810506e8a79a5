/** The program of the restore engine: looks whether the target is in use, writes it and opens it to prove it. Forked by the library. */
import { throttleProgress } from '../engine/progress-event.ts'
import { serve } from '../engine/serve.ts'
import { openLinkedStorage } from '../engine/storage-link.ts'
import { Repository } from '../repository/repository.ts'
import { restoreApi } from './engine-api.ts'
import { measuredRestore } from './measured-restore.ts'

serve(restoreApi, {
  restore: async ({ database, storage: address, request }, { signal, emit, host }) => {
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const onProgress = throttleProgress(emit)
      return await measuredRestore(repository.database(database), { ...request, signal, onProgress })
    } finally {
      await storage.close()
    }
  },
})
