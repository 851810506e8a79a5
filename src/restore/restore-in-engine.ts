import type { EngineCallOptions, EngineOptions } from '../engine/host.ts'
import { type EngineProgram, runInEngine } from '../engine/run-in-engine.ts'
import type { StorageLink } from '../engine/storage-link.ts'
import type { Progress } from '../util/progress.ts'
import { type RestoreRequest, type RestoreSignatures, restoreApi } from './engine-api.ts'
import type { RestoreResult } from './restore-options.ts'

const program: EngineProgram<RestoreSignatures> = { beside: import.meta.url, name: 'engine', api: restoreApi }

/** Restores in a process of its own: this one opens neither the target nor what it replaces. @throws RestoreError, ENGINE_DIED, ABORTED */
export async function restoreInEngine(
  database: string,
  { address, handlers }: Pick<StorageLink, 'address' | 'handlers'>,
  request: RestoreRequest,
  options: Omit<EngineOptions, 'handlers'> & EngineCallOptions<Progress>,
): Promise<RestoreResult> {
  const input = { database, storage: address, request }
  return await runInEngine(program, 'restore', input, { ...options, handlers })
}
