import type { OperationEnd } from '../operation.ts'
import type { BegunOperation } from '../operation-rows.ts'
import type { Actor } from './actor.ts'
import type { AuditEntry, AuditParameters } from './audit-entry.ts'

export interface EntryFacts {
  readonly actor: Actor
  /** Milliseconds since 1970. */
  readonly time: number
  readonly parameters: AuditParameters
  /** Undefined when it begins. */
  readonly end?: OperationEnd | undefined
}

/** What the audit log says of an operation when it begins, or has ended. */
export function operationEntry(
  begun: BegunOperation,
  { actor, time, parameters, end }: EntryFacts,
): Omit<AuditEntry, 'sequence'> {
  return {
    time: new Date(time).toISOString(),
    event: end === undefined ? 'begin' : 'end',
    operation: begun.id,
    kind: begun.kind,
    subtype: end?.type ?? begun.type ?? null,
    trigger: begun.trigger,
    schedule: begun.schedule ?? null,
    database: end?.database ?? begun.database ?? null,
    repository: begun.repository,
    actor,
    parameters,
    outcome: end?.outcome ?? null,
    code: end?.code ?? null,
    backupId: end?.backupId ?? null,
  }
}
