/** The reports of upkeep, as they pass from one process to another. */
import { z } from 'zod'
import { calendarBuckets } from '../../history/retention.ts'
import { backupManifest } from '../../repository/manifest.ts'
import type { CompactReport } from '../compact/compact-database.ts'
import type { ExpireReport } from './expire-database.ts'
import { retentionPolicySchema } from './retention-policy.ts'

const count = z.int().min(0)

const upkeepReport = {
  database: z.string(),
  dryRun: z.boolean(),
  merged: z.array(
    z.strictObject({ kind: z.enum(['base', 'delta']), from: count, to: count, segments: count, bytes: count }),
  ),
  deleted: z.array(z.strictObject({ key: z.string(), bytes: count })),
  waiting: z.array(z.strictObject({ key: z.string(), bytes: count, since: z.number(), until: z.number() })),
  freedBytes: count,
  waitingBytes: count,
}

const keepReason = z.union([
  z.strictObject({
    rule: z.enum(['last', 'within', 'window', 'pinned', 'newest', 'newest-sound', 'newest-verified', 'in-the-future']),
  }),
  z.strictObject({ rule: z.enum(calendarBuckets), bucket: z.string() }),
])

export const expireReport: z.ZodType<ExpireReport> = z.strictObject({
  ...upkeepReport,
  policy: retentionPolicySchema,
  keep: z.array(z.strictObject({ backup: backupManifest, reasons: z.array(keepReason) })),
  drop: z.array(z.strictObject({ backup: backupManifest, rule: z.enum(['no-rule', 'max-backups']) })),
})

export const compactReport: z.ZodType<CompactReport> = z.strictObject({
  ...upkeepReport,
  logs: z.strictObject({ replaced: count, merged: count }),
})
