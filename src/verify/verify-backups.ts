import { parseOptions } from '../engine/parse-options.ts'
import { callVerifyEngine, type VerifyEngineOptions } from './call-verify-engine.ts'
import { verifyRequest } from './engine-api.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'

/** Progress phases: `metadata` (objects), `data` (bytes), `restore` (objects). */
export interface VerifyBackupsOptions extends Omit<VerifyOptions, 'signal' | 'onProgress'>, VerifyEngineOptions {}

/**
 * Checks the backups of a repository, in an engine process; nothing is recorded of it. Damage is in the result, not an exception.
 * @throws REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, BACKUP_NOT_FOUND, USAGE, STORAGE_*, ENGINE_DIED, ABORTED
 */
export async function verifyBackups(options: VerifyBackupsOptions): Promise<VerifyResult> {
  const { repository, signal, onProgress, engine, ...rest } = options
  const request = parseOptions(verifyRequest, rest)
  return await callVerifyEngine('verify', { repository, signal, onProgress, engine }, (storage) => ({
    storage,
    request,
  }))
}
