import { z } from 'zod'
import { type ProcessIdentity, processState } from '../../util/process-identity.ts'
import {
  type OperationEnd,
  type OperationOutcome,
  type OperationStart,
  operationKinds,
  operationOutcomes,
  operationTriggers,
} from './operation.ts'

/** An operation as the history shows it: it may still run. */
export interface RecordedOperation extends OperationStart, Omit<OperationEnd, 'outcome' | keyof OperationStart> {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Undefined while it runs; of one that ended with its process, the last time at which that was seen. */
  readonly endedAt: number | undefined
  readonly outcome: OperationOutcome | 'running'
  /** Known from the repository only: made elsewhere, or before this journal was begun. */
  readonly rebuilt: boolean
}

/** A process of which nothing can be known (of another machine or container) counts as gone when it was silent for so long. */
const silenceMs = 3 * 60 * 60_000

export const processIdentity: z.ZodType<ProcessIdentity> = z.strictObject({
  host: z.string(),
  bootId: z.string(),
  pid: z.int(),
  startedAt: z.string(),
})

const text = z.string().nullable()

/** A text of JSON, or null, which stands for undefined. */
function jsonOf<T>(schema: z.ZodType<T>) {
  return text.transform((json, context): T | undefined => {
    if (json === null) return undefined
    try {
      const { data } = schema.safeParse(JSON.parse(json))
      if (data !== undefined) return data
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown
    }
    context.addIssue('It is not what was expected.')
    return z.NEVER
  })
}

export const operationRow = z.object({
  id: z.string(),
  kind: z.enum(operationKinds),
  database: text,
  repository: z.string(),
  type: text,
  trigger: z.enum(operationTriggers),
  schedule: text,
  started_at: z.int(),
  ended_at: z.int().nullable(),
  outcome: z.enum(operationOutcomes).nullable(),
  code: text,
  message: text,
  warnings: jsonOf(z.array(z.string())),
  backup_id: text,
  figures: jsonOf(z.record(z.string(), z.number())),
  process: jsonOf(processIdentity),
  seen_at: z.int(),
  origin: text,
})
type OperationRow = z.infer<typeof operationRow>

/** @param now milliseconds since 1970 */
export function toRecordedOperation(row: OperationRow, now: number): RecordedOperation {
  const { id, kind, repository, trigger, figures, warnings } = row
  const common = {
    id,
    kind,
    database: row.database ?? undefined,
    repository,
    type: row.type ?? undefined,
    trigger,
    schedule: row.schedule ?? undefined,
    startedAt: row.started_at,
    code: row.code ?? undefined,
    message: row.message ?? undefined,
    warnings,
    backupId: row.backup_id ?? undefined,
    figures,
    rebuilt: row.process === undefined,
  }
  if (row.outcome !== null) return { ...common, endedAt: row.ended_at ?? row.seen_at, outcome: row.outcome }
  if (mayRun(row, now)) return { ...common, endedAt: undefined, outcome: 'running' }
  return { ...common, endedAt: row.seen_at, outcome: 'interrupted', message: 'Its process ended before it did.' }
}

function mayRun({ process, seen_at }: OperationRow, now: number): boolean {
  const state = process === undefined ? 'dead' : processState(process)
  return state === 'alive' || (state === 'unknown' && now - seen_at < silenceMs)
}
