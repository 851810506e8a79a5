/** The program of the backup engine: the only process that opens the user's database. Forked by the library. */
import { throttleProgress } from '../engine/progress-event.ts'
import { serve } from '../engine/serve.ts'
import { openLinkedStorage } from '../engine/storage-link.ts'
import { Repository } from '../repository/repository.ts'
import { sqlite } from '../source/sqlite/sqlite-source.ts'
import { createBackup } from './create-backup.ts'
import { backupApi } from './engine-api.ts'

serve(backupApi, {
  createBackup: async ({ path, defaultName, storage: address, request }, { signal, emit, host }) => {
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const source = { ...sqlite(path), defaultName }
      return await createBackup(source, repository, { ...request, signal, onProgress: throttleProgress(emit) })
    } finally {
      await storage.close()
    }
  },
})
