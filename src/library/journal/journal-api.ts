/** What the journal's process does, as seen from both processes. */
import { z } from 'zod'
import { type Actor, actorSchema } from '../../agent/journal/audit/actor.ts'
import {
  type AuditParameters,
  auditParameters,
  type ChainHead,
  type StoredEntry,
} from '../../agent/journal/audit/audit-entry.ts'
import type { AuditState, FoundOperation } from '../../agent/journal/journal.ts'
import {
  type OperationEnd,
  operationKinds,
  operationOutcomes,
  operationTriggers,
} from '../../agent/journal/operation.ts'
import type { BegunOperation, OperationQuery } from '../../agent/journal/operation-rows.ts'
import { processIdentity, type RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import type { EngineApi } from '../../engine/api.ts'
import { type StorageAddress, storageAddress } from '../../engine/storage-link.ts'
import { type ErrorCode, isErrorCode } from '../../errors.ts'
import type { ProcessIdentity } from '../../util/process-identity.ts'

/** Whose journal, and where. */
export interface JournalPlace {
  readonly path: string
  readonly actor: Actor
  /** The application. */
  readonly process: ProcessIdentity
}

/** What keeps something from being recorded. */
export interface JournalWarning {
  readonly message: string
  readonly code: ErrorCode
}

type Call<Input, Output> = {
  readonly input: Input & { readonly place: JournalPlace }
  readonly event: JournalWarning
  readonly output: Output
}

export type JournalSignatures = {
  begin: Call<{ begun: BegunOperation; parameters: AuditParameters }, AuditState | undefined>
  end: Call<
    { begun: BegunOperation; end: OperationEnd; parameters: AuditParameters; endedAt: number },
    AuditState | undefined
  >
  seen: Call<{ time: number }, undefined>
  operations: Call<{ query: OperationQuery }, RecordedOperation[]>
  rebuiltAt: Call<{ repository: string }, number | undefined>
  merge: Call<{ repository: string; found: readonly FoundOperation[] }, number>
  audit: Call<object, { head: ChainHead | undefined; entries: StoredEntry[] } | undefined>
  auditHash: Call<{ sequence: number }, string | undefined>
  /** Notes the head of the audit log in a repository that this process can open; the answer is a warning. */
  anchor: Call<{ state: AuditState; storage: StorageAddress; now: number }, string | undefined>
}

const place = z.strictObject({ path: z.string(), actor: actorSchema, process: processIdentity })
const event: z.ZodType<JournalWarning> = z.strictObject({
  message: z.string(),
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
})
const text = z.string().optional()
const number = z.number().optional()

const startShape = {
  kind: z.enum(operationKinds),
  database: text,
  repository: z.string(),
  type: text,
  trigger: z.enum(operationTriggers),
  schedule: text,
}
const figures = z.record(z.string(), z.number()).optional()
const warnings = z.array(z.string()).optional()
const endShape = { outcome: z.enum(operationOutcomes), code: text, message: text, warnings, backupId: text, figures }
const begun: z.ZodType<BegunOperation> = z.strictObject({ ...startShape, id: z.string(), startedAt: z.number() })
const end: z.ZodType<OperationEnd> = z.strictObject({ ...endShape, database: text, type: text })
const found: z.ZodType<FoundOperation> = z.strictObject({
  origin: z.string(),
  operation: z
    .strictObject({ ...startShape, ...endShape, startedAt: z.number(), endedAt: z.number() })
    .omit({ repository: true }),
})
const recordedOutcome = z.enum([...operationOutcomes, 'running'])
const recorded: z.ZodType<RecordedOperation> = z.strictObject({
  ...startShape,
  ...endShape,
  id: z.string(),
  startedAt: z.number(),
  endedAt: z.number().or(z.undefined()),
  outcome: recordedOutcome,
  rebuilt: z.boolean(),
})
const query: z.ZodType<OperationQuery> = z.strictObject({
  repository: text,
  database: text,
  kind: z.enum(operationKinds).optional(),
  trigger: z.enum(operationTriggers).optional(),
  outcome: recordedOutcome.optional(),
  since: number,
  until: number,
  limit: z.int().min(1).optional(),
})
const head: z.ZodType<ChainHead> = z.strictObject({
  chain: z.string(),
  createdAt: z.number(),
  sequence: z.int().min(0),
  hash: z.string(),
})
const state: z.ZodType<AuditState> = z.strictObject({ head, isNew: z.boolean() })
const entry: z.ZodType<StoredEntry> = z.strictObject({ sequence: z.int(), text: z.string(), hash: z.string() })
const noted = state.or(z.undefined())

export const journalApi: EngineApi<JournalSignatures> = {
  begin: { input: z.strictObject({ place, begun, parameters: auditParameters }), event, output: noted },
  end: {
    input: z.strictObject({ place, begun, end, parameters: auditParameters, endedAt: z.number() }),
    event,
    output: noted,
  },
  seen: { input: z.strictObject({ place, time: z.number() }), event, output: z.undefined() },
  operations: { input: z.strictObject({ place, query }), event, output: z.array(recorded) },
  rebuiltAt: { input: z.strictObject({ place, repository: z.string() }), event, output: z.number().or(z.undefined()) },
  merge: {
    input: z.strictObject({ place, repository: z.string(), found: z.array(found) }),
    event,
    output: z.int().min(0),
  },
  audit: {
    input: z.strictObject({ place }),
    event,
    output: z.strictObject({ head: head.or(z.undefined()), entries: z.array(entry) }).or(z.undefined()),
  },
  auditHash: {
    input: z.strictObject({ place, sequence: z.int() }),
    event,
    output: z.string().or(z.undefined()),
  },
  anchor: {
    input: z.strictObject({ place, state, storage: storageAddress, now: z.number() }),
    event,
    output: z.string().or(z.undefined()),
  },
}
