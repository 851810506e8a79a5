import type { AuditParameters } from '../agent/journal/audit/audit-entry.ts'
import type { DrillState } from '../verify/drill/drill-options.ts'

/** Which state was asked for, as the audit log says it. */
export function stateParameters(state: DrillState): AuditParameters {
  return { state: stateText(state), before: 'before' in state && state.before === true }
}

function stateText(state: DrillState): string | number {
  switch (state.by) {
    case 'backup':
      return state.id
    case 'name':
      return state.name
    case 'lsn':
      return state.lsn
    case 'time':
      return Math.abs(state.time) <= 8.64e15 ? new Date(state.time).toISOString() : state.time
    case 'latest':
    case 'random':
      return state.by
  }
}
