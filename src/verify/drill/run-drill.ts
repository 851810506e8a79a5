import { resolve } from 'node:path'
import { parseOptions } from '../../engine/parse-options.ts'
import { callVerifyEngine, type VerifyEngineOptions } from '../call-verify-engine.ts'
import type { DrillOptions, DrillReport } from './drill-options.ts'
import { drillRequest } from './drill-schema.ts'

/** Progress phases: `plan`, `fetch` (bytes of the database), `replay`, `prove`, `commit`, `assert` and `command` (objects). */
export interface RunDrillOptions extends Omit<DrillOptions, 'signal' | 'onProgress'>, VerifyEngineOptions {
  /** Name of the database in the repository, or the path that it was backed up from. */
  readonly database: string
}

/**
 * A restore drill, in an engine process; nothing is recorded of it but the verdict in the repository.
 * @throws REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, BACKUP_NOT_FOUND, NOT_RESTORABLE for a state that was never there, USAGE, STORAGE_*
 * if the repository cannot be opened, ENGINE_DIED, ABORTED
 */
export async function runDrill(options: RunDrillOptions): Promise<DrillReport> {
  const { repository, database, signal, onProgress, engine, scratchFolder, ...rest } = options
  const place = scratchFolder === undefined ? {} : { scratchFolder: resolve(scratchFolder) }
  const request = parseOptions(drillRequest, { ...rest, ...place })
  const running = { repository, signal, onProgress, engine }
  return await callVerifyEngine('drill', running, (storage) => ({ storage, database, request }))
}
