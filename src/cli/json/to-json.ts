import type { RestorePlan } from '../../restore/restore-options.ts'
import type { Proof } from '../../source/target.ts'
import type { PlanData, ProofData } from './model-schemas.ts'

export function planData(plan: RestorePlan): PlanData {
  const { pause } = plan
  return {
    ...plan,
    time: isoTime(plan.time),
    pause: pause === undefined ? null : { from: isoTime(pause.fromTime), to: isoTime(pause.toTime) },
    backup: plan.backup ?? null,
    steps: plan.steps.map(({ key, kind, from, to, bytes }) => ({ key, kind, from, to, bytes })),
    estimate: { ...plan.estimate },
  }
}

export function proofData({
  state,
  pagesHashed,
  validation,
  factsMatch,
  tablesCompared,
  command,
  durationMs,
}: Proof): ProofData {
  return {
    checksum: state.toString(16).padStart(16, '0'),
    pagesHashed,
    validation: { ...validation, findings: [...validation.findings] },
    factsMatch: factsMatch ?? null,
    tablesCompared,
    command: command === undefined ? null : { ...command },
    durationMs,
  }
}

export function isoTime(time: number): string {
  return new Date(time).toISOString()
}
