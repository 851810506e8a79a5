/** What `history`, `stats` and `audit` write of the journal. */
import { z } from 'zod'
import { auditEntry } from '../../agent/journal/audit/audit-entry.ts'
import { operationKinds, operationOutcomes, operationTriggers } from '../../agent/journal/operation.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const milliseconds = z.number().min(0)

export const operationLine = z
  .strictObject({
    type: z.literal('operation'),
    id: z.string().describe('unique, and sorts by start'),
    kind: z.enum(operationKinds),
    subtype: z
      .string()
      .nullable()
      .describe('type of a backup, level of a verification, mode of a restore or of following'),
    database: z.string().nullable().describe('null for what concerns the whole repository'),
    repository: z.string(),
    trigger: z.enum(operationTriggers),
    schedule: z.string().nullable(),
    startedAt: time,
    endedAt: time.nullable().describe('null while it runs; of an interrupted one, when it was last seen'),
    durationMs: milliseconds.nullable(),
    outcome: z.enum([...operationOutcomes, 'running']),
    code: z.string().nullable().describe('of the error'),
    message: z.string().nullable().describe('what went wrong, or, of what went well, the warnings'),
    warnings: z
      .array(z.string())
      .describe('what is to be known besides what went wrong, and is no cause of it: that a hook after it failed'),
    backupId: z.string().nullable(),
    figures: z.record(z.string(), z.number()).describe('bytes, counts and milliseconds by name'),
    rebuilt: z.boolean().describe('known from the repository alone'),
  })
  .describe('An operation, from `holdfast history`.')

export const auditLine = z
  .strictObject({ type: z.literal('audit'), ...auditEntry.shape, hash: z.string() })
  .describe('An entry of the audit log, from `holdfast audit`.')

export const growthDays = z
  .array(
    z.strictObject({
      day: z.iso.date(),
      backups: count.describe('whose state is of that day'),
      commits: count.describe('in logs that end on that day'),
      bytes: count.describe('stored, of the segments that end on that day'),
      logBytes: count.describe('those of logs, as a part of them'),
      totalBytes: count.describe('stored, of all segments up to that day'),
      databaseBytes: count.describe('size of the database at its last backup until then'),
    }),
  )
  .describe('by day in UTC, oldest first; days without anything are left out')

export const operationStats = z.array(
  z.strictObject({
    kind: z.enum(operationKinds),
    runs: count.describe('that ended'),
    outcomes: z.strictObject({
      succeeded: count,
      warning: count,
      failed: count,
      interrupted: count,
      inconclusive: count,
    }),
    successRate: z.number().describe('succeeded, also with warnings, as a part of all'),
    durationMs: z
      .strictObject({ median: milliseconds, p95: milliseconds, max: milliseconds })
      .describe('of those that were not interrupted'),
    days: z
      .array(z.strictObject({ day: z.iso.date(), runs: count, failed: count, medianMs: milliseconds }))
      .describe('by day in UTC, oldest first; days without a run are left out'),
  }),
)

const head = z.strictObject({ chain: z.string(), sequence: count, hash: z.string() }).nullable()

export const historyResults = {
  history: z.strictObject({
    journal: z.string().describe('path of the journal'),
    repository: z.string().nullable().describe('null for all'),
    operations: count.describe('lines before this one'),
    added: count.nullable().describe('operations that the repository told of now; null if it was not asked'),
  }),
  audit: z.strictObject({
    journal: z.string(),
    entries: count.describe('lines before this one'),
    head: head.describe('the newest entry; null before the first'),
  }),
  'audit verify': z.strictObject({
    log: z.string().describe('path of the journal, or of the exported file'),
    ok: z.boolean(),
    entries: count.describe('that are as they were written, from the first on'),
    finding: z
      .strictObject({ sequence: count, problem: z.string() })
      .nullable()
      .describe('the first entry that is not as it was written'),
    head,
    comparedWith: z.string().nullable().describe('the repository that remembers the head; null if none does'),
  }),
  'audit export': z.strictObject({ path: z.string(), entries: count, head }),
}

export type OperationLine = z.infer<typeof operationLine>
export type AuditLine = z.infer<typeof auditLine>
