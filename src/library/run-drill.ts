import { drillEnding } from '../agent/journal/drill-ending.ts'
import type { RecordingOptions } from '../backup/manager-options.ts'
import type { DrillReport } from '../verify/drill/drill-options.ts'
import { type RunDrillOptions as RunOptions, runDrill as run } from '../verify/drill/run-drill.ts'
import { drillFacts } from './check-facts.ts'
import { recordedOn } from './recorded-on.ts'

/** Progress phases: `plan`, `fetch` (bytes of the database), `replay`, `prove`, `commit`, `assert` and `command` (objects). */
export interface RunDrillOptions extends RunOptions, RecordingOptions {}

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
  const { journal, ...rest } = options
  return await recordedOn({
    repository: rest.repository,
    options: { journal, engine: rest.engine },
    facts: drillFacts(rest),
    work: () => run(rest),
    endingOf: (report) => ({ database: report.database, ...drillEnding(report) }),
  })
}
