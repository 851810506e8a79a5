import type { DrillCheck, DrillVerdict } from './drill-options.ts'

/** One that failed decides; else one that could not be made leaves it open. */
export function verdictOf(checks: readonly DrillCheck[]): DrillVerdict {
  const has = (outcome: DrillCheck['outcome']) => checks.some((check) => check.outcome === outcome)
  return has('failed') ? 'failed' : has('inconclusive') ? 'inconclusive' : 'passed'
}

/** Why it is so: those that failed first. */
export function reasonsOf(checks: readonly DrillCheck[]): string[] {
  const of = (outcome: DrillCheck['outcome']) => checks.filter((check) => check.outcome === outcome).map(reasonOf)
  return [...of('failed'), ...of('inconclusive')]
}

function reasonOf({ kind, name, detail }: DrillCheck): string {
  return kind === 'assertion' ? `assertion "${name}": ${detail}` : detail
}
