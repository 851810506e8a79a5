import type { DatabaseRepository } from '../repository/database-repository.ts'
import { PhaseClock } from './phase-clock.ts'
import type { RestoreMeasurement } from './rates/learn.ts'
import { RateFile } from './rates/rate-file.ts'
import { restoreDatabase } from './restore-database.ts'
import type { RestoreOptions, RestoreResult } from './restore-options.ts'

export interface MeasuringParts {
  /** Default: that of this user. */
  readonly rateFile?: RateFile | undefined
  /** Milliseconds of a clock that never goes back. */
  readonly now?: (() => number) | undefined
}

/** Restores, estimates by this machine's past restores, and remembers what this one took. @throws RestoreError */
export async function measuredRestore(
  database: DatabaseRepository,
  options: RestoreOptions,
  { rateFile: file = new RateFile(), now }: MeasuringParts = {},
): Promise<RestoreResult> {
  const { url } = database.repository
  const rates = await file.read(url)
  const clock = new PhaseClock('plan', now)
  const onProgress: RestoreOptions['onProgress'] = (progress) => {
    clock.note(progress)
    options.onProgress?.(progress)
  }
  const result = await restoreDatabase(database, { ...options, onProgress }, rates)
  // A file that is reused makes work of another kind.
  if (!result.dryRun && result.mode !== 'delta') await file.add(url, measurementOf(result, clock))
  return result
}

function measurementOf({ plan, proof }: RestoreResult, clock: PhaseClock): RestoreMeasurement {
  const { estimate, pageSize, pageCount, steps } = plan
  const databaseBytes = pageSize * pageCount
  const isUsualProof = proof?.validation.level === 'integrity'
  return {
    requests: estimate.requests,
    planMs: clock.spent('plan'),
    fetchedBytes: steps.reduce((sum, { kind, bytes }) => (kind === 'log' ? sum : sum + bytes), 0),
    writtenBytes: databaseBytes,
    fetchMs: clock.spent('fetch'),
    commits: estimate.commitsToReplay,
    replayMs: clock.spent('replay'),
    provedBytes: isUsualProof ? databaseBytes : 0,
    proveMs: clock.spent('prove') - (proof?.command?.durationMs ?? 0),
  }
}
