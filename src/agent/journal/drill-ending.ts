import type { DrillReport } from '../../verify/drill/drill-options.ts'
import type { Ending } from './ending.ts'

/** How a restore drill is recorded. */
export function drillEnding({ verdict, reasons, state, recovery, failure, warnings }: DrillReport): Ending {
  const known = {
    lsn: state?.lsn,
    ageMs: state?.ageMs,
    recoveryMs: recovery?.durationMs,
    bytesFetched: recovery?.bytesFetched,
    commitsReplayed: recovery?.commitsReplayed,
  }
  const figures: Record<string, number> = {}
  for (const [name, value] of Object.entries(known)) if (value !== undefined) figures[name] = value
  const shared = { backupId: state?.backup?.id, figures, warnings }
  return verdict === 'passed'
    ? shared
    : { ...shared, outcome: verdict, code: failure?.code, message: reasons.join(' ') }
}
