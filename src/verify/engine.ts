/** The program of the verification engine: keeps hashing and scratch restores out of the host's process. Forked by the library. */
import { throttleProgress } from '../engine/progress-event.ts'
import { type EngineContext, serve } from '../engine/serve.ts'
import { openLinkedStorage, type StorageAddress } from '../engine/storage-link.ts'
import { Repository } from '../repository/repository.ts'
import type { OnProgress, Progress } from '../util/progress.ts'
import { drillDatabase } from './drill/drill-database.ts'
import { verifyApi } from './engine-api.ts'
import { verifyRepository } from './verify-repository.ts'

serve(verifyApi, {
  verify: ({ storage, request }, context) =>
    inRepository(storage, context, (repository, running) => verifyRepository(repository, { ...request, ...running })),
  drill: ({ storage, database, request }, context) =>
    inRepository(storage, context, (repository, running) =>
      drillDatabase(repository, database, { ...request, ...running }),
    ),
})

interface Running {
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
}

async function inRepository<T>(
  address: StorageAddress,
  { signal, emit, host }: EngineContext<Progress>,
  work: (repository: Repository, running: Running) => Promise<T>,
): Promise<T> {
  const storage = await openLinkedStorage(address, host, signal)
  try {
    const repository = await Repository.open(storage, { signal })
    return await work(repository, { signal, onProgress: throttleProgress(emit) })
  } finally {
    await storage.close()
  }
}
