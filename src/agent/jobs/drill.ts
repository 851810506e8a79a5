import { toHoldfastError } from '../../errors.ts'
import type { BackupStorage } from '../../storage/storage.ts'
import { assertTables } from '../../verify/drill/assertion.ts'
import { judgeFailure } from '../../verify/drill/judge-failure.ts'
import { runDrill } from '../../verify/drill/run-drill.ts'
import type { DatabaseConfig } from '../config/config.ts'
import { drillEnding } from '../journal/drill-ending.ts'
import type { Ending } from '../journal/ending.ts'

export interface DatabaseToDrill {
  readonly name: string
  readonly config: Pick<DatabaseConfig, 'drill'>
  /** Whether there is anything of it in the repository. */
  readonly isThere: () => Promise<boolean>
}

/** A drill as the configuration says; inconclusive where the repository could not be reached. @throws what keeps it from being judged; ABORTED */
export async function drill(
  repository: string | BackupStorage,
  { name, config: { drill }, isThere }: DatabaseToDrill,
  signal: AbortSignal,
): Promise<Ending> {
  try {
    if (!(await isThere())) return { message: 'There is nothing to restore yet.', outcome: 'succeeded' }
    const report = await runDrill({
      repository,
      database: name,
      state: drill.state === 'random' ? { by: 'random' } : { by: 'latest' },
      assertions: [...assertTables(drill.expectTables), ...drill.assertions],
      command: drill.command,
      timeLimitMs: drill.commandTimeoutMs,
      maxRecoveryMs: drill.maxRecoveryTimeMs,
      maxAgeMs: drill.maxAgeMs,
      scratchFolder: drill.scratchFolder,
      signal,
    })
    return drillEnding(report)
  } catch (thrown) {
    const error = toHoldfastError(thrown, name)
    const { code, message } = error
    // A repository that is not there to be opened says as little of the backup as one that goes away meanwhile.
    const isHindered = code === 'REPOSITORY_NOT_FOUND' || judgeFailure(error)?.outcome === 'inconclusive'
    if (signal.aborted || !isHindered) throw thrown
    return { outcome: 'inconclusive', code, message }
  }
}
