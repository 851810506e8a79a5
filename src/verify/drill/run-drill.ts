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
 * A restore drill, in an engine process: restores a state to a scratch place, proves it, tries your assertions and command on it,
 * measures the recovery and keeps the verdict in the repository. A drill that fails, or cannot be finished, is no exception: the
 * report says why.
 *
 * @throws REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, BACKUP_NOT_FOUND, NOT_RESTORABLE for a state that was never there, USAGE, STORAGE_*
 * if the repository cannot be opened, ENGINE_DIED, ABORTED
 * @example
 * import { runDrill } from 'holdfast'
 * const { verdict, reasons, recovery } = await runDrill({
 *   repository: './backups',
 *   database: 'app',
 *   assertions: [{ sql: 'SELECT count(*) > 0 FROM users' }],
 *   maxRecoveryMs: 15 * 60_000,
 * })
 * if (verdict !== 'passed') console.error(verdict, reasons)
 */
export async function runDrill(options: RunDrillOptions): Promise<DrillReport> {
  const { repository, database, signal, onProgress, engine, scratchFolder, ...rest } = options
  const place = scratchFolder === undefined ? {} : { scratchFolder: resolve(scratchFolder) }
  const request = parseOptions(drillRequest, { ...rest, ...place })
  const running = { repository, signal, onProgress, engine }
  return await callVerifyEngine('drill', running, (storage) => ({ storage, database, request }))
}
