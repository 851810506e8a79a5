import type { BackupStorage } from '../../storage/storage.ts'
import { verifyBackups } from '../../verify/verify-backups.ts'
import type { DatabaseConfig } from '../config/config.ts'
import type { Ending } from '../journal/ending.ts'

export interface DatabaseToVerify {
  readonly name: string
  readonly config: Pick<DatabaseConfig, 'verify'>
  /** Whether there is anything of it in the repository. */
  readonly isThere: () => Promise<boolean>
}

/** A verification as the configuration says; inconclusive where there was room for none of its trial restores. @throws as `verifyBackups` */
export async function verify(
  repository: string | BackupStorage,
  { name, config, isThere }: DatabaseToVerify,
  signal: AbortSignal,
): Promise<Ending> {
  if (!(await isThere())) return { message: 'There is nothing to verify yet.', outcome: 'succeeded' }
  const result = await verifyBackups({ ...config.verify, databases: [name], repository, signal })
  const { findings, warnings, checked, remaining, untried } = result
  const shared = { warnings, figures: { ...checked, remaining } }
  const [first, ...more] = findings
  if (first !== undefined) {
    const found = `${first.object}: ${first.problem}`
    const message = more.length === 0 ? found : `${found} And ${more.length} more.`
    return { outcome: 'failed', code: 'INTEGRITY', message, ...shared }
  }
  if (untried === 0 || checked.restores > 0) return shared
  const message = 'No backup could be tried, because there is no room for one in the scratch folder.'
  return { outcome: 'inconclusive', code: 'DISK_FULL', message, ...shared }
}
