import type { DrillReport } from '../../verify/drill/drill-options.ts'
import type { ResultData } from './schemas.ts'
import { isoTime } from './to-json.ts'

export function drillData(report: DrillReport): ResultData<'drill'> {
  const { checks, state, recovery, failure, startedAt } = report
  return {
    ...report,
    reasons: [...report.reasons],
    warnings: [...report.warnings],
    checks: checks.map(({ kind, name = null, outcome, detail, durationMs = null }) => {
      return { kind, name, outcome, detail, durationMs }
    }),
    state: stateData(state),
    seed: report.seed ?? null,
    recovery: recovery === undefined ? null : { ...recovery, phases: recovery.phases.map((phase) => ({ ...phase })) },
    failure: failure === undefined ? null : { code: failure.code, object: failure.object ?? null },
    keptFile: report.keptFile ?? null,
    startedAt: isoTime(startedAt),
  }
}

function stateData(state: DrillReport['state']): ResultData<'drill'>['state'] {
  if (state === undefined) return null
  const { lsn, time, ageMs, backup } = state
  return {
    lsn,
    time: time === undefined ? null : isoTime(time),
    ageMs: ageMs ?? null,
    backup: backup === undefined ? null : { ...backup },
  }
}
