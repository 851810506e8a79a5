import { z } from 'zod'

const count = z.int().min(0)

export const databaseFacts = z.strictObject({
  kind: z.literal('sqlite'),
  engineVersion: z.string(),
  pageSize: count,
  pageCount: count,
  encoding: z.enum(['UTF-8', 'UTF-16le', 'UTF-16be']),
  journalMode: z.enum(['wal', 'rollback']),
  autoVacuum: z.enum(['none', 'full', 'incremental']),
  userVersion: z.int(),
  applicationId: z.int(),
  schemaDigest: z.string().regex(/^[0-9a-f]{64}$/),
  tables: z.array(z.strictObject({ name: z.string(), rows: count.nullable() })),
})

export const validationReport = z.strictObject({
  level: z.enum(['none', 'quick', 'integrity']),
  ok: z.boolean(),
  findings: z.array(z.string()),
  foreignKeyViolations: count,
  durationMs: z.number().min(0),
})
