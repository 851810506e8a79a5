import { type OperationEnd, operationOutcomes } from '../journal/operation.ts'

/** `skipped`: a hook asked for that. */
export const runOutcomes = [...operationOutcomes, 'skipped'] as const
export type RunOutcome = (typeof runOutcomes)[number]

/** How a run of a schedule ended that threw nothing. */
export interface RunEnd extends Pick<OperationEnd, 'message' | 'warnings' | 'backupId'> {
  readonly outcome: RunOutcome
}

/** @param end undefined if a hook asked to skip it */
export function runEnd(end: OperationEnd | undefined): RunEnd {
  if (end === undefined) return { outcome: 'skipped' }
  const { outcome, message, warnings, backupId } = end
  return { outcome, message, warnings, backupId }
}
