import { type DrillRecord, drillsOf } from '../repository/drill-record.ts'
import type { Drilled, LastDrill } from './json/drill-schemas.ts'

/** What is known of the drills of a backup. */
export function drilledOf(drills: readonly DrillRecord[], backupId: string): Drilled {
  const { last, decided } = drillsOf(drills, backupId)
  if (last === undefined) return null
  const verdict = decided?.verdict
  return {
    ...facts(last),
    decided:
      decided === undefined || verdict === undefined || verdict === 'inconclusive'
        ? null
        : { verdict, time: decided.drilledAt, recoveryMs: decided.recoveryMs },
  }
}

/** The last drill of any state of a database. */
export function lastDrillOf(drills: readonly DrillRecord[]): LastDrill {
  const last = drills.at(-1)
  return last === undefined ? null : { ...facts(last), lsn: last.lsn, stateTime: last.stateTime, backup: last.backup }
}

function facts({ verdict, drilledAt: time, reasons, recoveryMs }: DrillRecord) {
  return { verdict, time, reasons: [...reasons], recoveryMs }
}
