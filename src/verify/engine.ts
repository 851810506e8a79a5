/** The program of the verification engine: keeps hashing and scratch restores out of the host's process. Forked by the library. */
import { throttleProgress } from '../engine/progress-event.ts'
import { serve } from '../engine/serve.ts'
import { openLinkedStorage } from '../engine/storage-link.ts'
import { Repository } from '../repository/repository.ts'
import { verifyApi } from './engine-api.ts'
import { verifyRepository } from './verify-repository.ts'

serve(verifyApi, {
  verify: async ({ storage: address, request }, { signal, emit, host }) => {
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      return await verifyRepository(repository, { ...request, signal, onProgress: throttleProgress(emit) })
    } finally {
      await storage.close()
    }
  },
})
