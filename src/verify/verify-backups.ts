import { parseOptions } from '../engine/parse-options.ts'
import { runInEngine } from '../engine/run-in-engine.ts'
import { linkStorage } from '../engine/storage-link.ts'
import { toHoldfastError } from '../errors.ts'
import type { BackupStorage } from '../storage/storage.ts'
import { type ProgressReport, RateMeter } from '../util/rate-meter.ts'
import { verifyApi, verifyRequest } from './engine-api.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'

const program = { beside: import.meta.url, name: 'engine', api: verifyApi }

export interface VerifyBackupsOptions extends Omit<VerifyOptions, 'onProgress'> {
  /** Where the backups are kept: a path or URL, or a storage of your own. */
  readonly repository: string | BackupStorage
  /** Phases: `metadata` (objects), `data` (bytes), `restore` (objects). */
  readonly onProgress?: ((progress: ProgressReport) => void) | undefined
  /** The engine process; see `EngineSettings`. */
  readonly engine?: { readonly execPath?: string | undefined; readonly graceMs?: number | undefined } | undefined
}

/**
 * Checks the backups of a repository, in an engine process. Damage is no exception: it is in the result, with the backups
 * that cannot be restored because of it.
 *
 * @throws REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, BACKUP_NOT_FOUND, USAGE, STORAGE_*, ENGINE_DIED, ABORTED
 * @example
 * import { verifyBackups } from 'holdfast'
 * const { ok, findings } = await verifyBackups({ repository: './backups', level: 'restore' })
 * if (!ok) for (const { object, problem } of findings) console.error(object, problem)
 */
export async function verifyBackups(options: VerifyBackupsOptions): Promise<VerifyResult> {
  const { repository, signal, onProgress, engine, ...rest } = options
  const request = parseOptions(verifyRequest, rest)
  const meter = new RateMeter()
  await using link = await linkStorage(repository)
  try {
    return await runInEngine(
      program,
      'verify',
      { storage: link.address, request },
      {
        ...engine,
        handlers: link.handlers,
        signal,
        onEvent: onProgress && ((progress) => onProgress(meter.measure(progress))),
      },
    )
  } catch (thrown) {
    throw toHoldfastError(thrown, link.storage.url)
  }
}
