import { verifyEnding } from '../agent/journal/verify-ending.ts'
import type { RecordingOptions } from '../backup/manager-options.ts'
import { type VerifyBackupsOptions as VerifyOptions, verifyBackups as verify } from '../verify/verify-backups.ts'
import type { VerifyResult } from '../verify/verify-options.ts'
import { verifyFacts } from './check-facts.ts'
import { recordedOn } from './recorded-on.ts'

/** Progress phases: `metadata` (objects), `data` (bytes), `restore` (objects). */
export interface VerifyBackupsOptions extends VerifyOptions, RecordingOptions {}

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
  const { journal, ...rest } = options
  return await recordedOn({
    repository: rest.repository,
    options: { journal, engine: rest.engine },
    facts: verifyFacts(rest),
    work: () => verify(rest),
    endingOf: verifyEnding,
  })
}
