/**
 * The audit log is a chain: the hash of an entry covers the hash of the one before it, so that nothing can be changed, removed,
 * inserted or moved without every later hash being wrong.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { actorSchema } from './actor.ts'

/** What was asked for, by name; never secrets, nor what may hold one. */
export const auditParameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
export type AuditParameters = z.infer<typeof auditParameters>

export const auditEntry = z.strictObject({
  /** 1, 2, 3 … within its chain. */
  sequence: z.int().min(1),
  /** ISO 8601. */
  time: z.iso.datetime({ precision: 3 }),
  /** An operation has an entry when it begins and one when it ends; the latter is missing if its process was killed. */
  event: z.enum(['begin', 'end']),
  /** Id of the operation, in both of its entries and in the history. */
  operation: z.string(),
  kind: z.string(),
  /** `full`, `incremental` or `snapshot`; the level of a verification. */
  subtype: z.string().nullable(),
  trigger: z.string(),
  schedule: z.string().nullable(),
  database: z.string().nullable(),
  repository: z.string(),
  actor: actorSchema,
  parameters: auditParameters,
  /** Null when it begins. */
  outcome: z.string().nullable(),
  code: z.string().nullable(),
  backupId: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof auditEntry>

/** An entry as it is kept: the hash is that of this very text. */
export interface StoredEntry {
  readonly sequence: number
  /** Canonical JSON of an {@link AuditEntry}. */
  readonly text: string
  readonly hash: string
}

/** The newest entry of a chain: its number and hash stand for all before it. */
export interface ChainHead {
  /** UUID. */
  readonly chain: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** 0 for a chain without entries. */
  readonly sequence: number
  readonly hash: string
}

/** What stands for the hash before the first entry. */
export function chainStart(chain: string): string {
  return sha256(`holdfast audit ${chain}`)
}

export function entryHash(previous: string, text: string): string {
  return sha256(`${previous}\n${text}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
