import type { RecordedOperation } from '../journal/recorded-operation.ts'
import type { Alert } from './alert.ts'
import { observeOperation } from './conditions/operation.ts'
import type { Observation } from './engine/advance.ts'

/** Of mirrors, what the mirror itself says counts; of drills, what the repository remembers; following is another matter by hand. */
const kinds: readonly string[] = ['backup', 'verify', 'expire', 'compact']

/** The failures that somebody's doing the same again could end. Under a name that is another database's, it was done to that one. */
export function failuresToMend(firing: readonly Alert[]): readonly Alert[] {
  const canEnd = ({ kind, details }: Alert): boolean =>
    kind === 'failure' && kinds.includes(String(details['operation'])) && details['code'] !== 'NAME_TAKEN'
  return firing.filter(canEnd)
}

/** Failures after which the same was done, and went well, whoever did it. @param operations of this machine, in any order */
export function observeMadeGood(
  firing: readonly Alert[],
  operations: readonly RecordedOperation[],
): readonly Observation[] {
  const over = failuresToMend(firing).filter(({ key, database, details }) =>
    operations.some(
      // Ids sort by when an operation began.
      (operation) => operation.id > String(details['operationId']) && ends(operation, database).includes(key),
    ),
  )
  return over.map(({ key }) => ({ what: 'absent', key }))
}

/** Keys of the failures that it ends. What names no database was done to all. */
function ends(operation: RecordedOperation, database: string | undefined): readonly string[] {
  const { outcome, endedAt } = operation
  if (endedAt === undefined || outcome === 'running') return []
  const ended = { ...operation, outcome, endedAt, database: operation.database ?? database }
  return observeOperation(ended).flatMap((each) => (each.what === 'absent' ? [each.key] : []))
}
