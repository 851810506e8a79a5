/** What `expire`, `compact`, `pin` and `unpin` write. */
import { z } from 'zod'
import { backupSchema } from './model-schemas.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const milliseconds = z.number().min(0)

const policy = z.strictObject({
  last: count.nullable(),
  hourly: count.nullable(),
  daily: count.nullable(),
  weekly: count.nullable(),
  monthly: count.nullable(),
  yearly: count.nullable(),
  within: milliseconds.nullable(),
  window: milliseconds.nullable().describe('every commit younger than this stays restorable'),
  maxBackups: count.nullable(),
  timeZone: z.string(),
})

const reason = z.strictObject({
  rule: z.enum([
    'last',
    'hourly',
    'daily',
    'weekly',
    'monthly',
    'yearly',
    'within',
    'window',
    'pinned',
    'newest',
    'newest-sound',
    'newest-verified',
    'in-the-future',
  ]),
  bucket: z.string().nullable().describe('the hour, day, ISO week, month or year: 2026-W07'),
})

const upkeep = {
  merged: z
    .array(
      z.strictObject({
        kind: z.enum(['base', 'delta']),
        from: count,
        to: count,
        segments: count.describe('that it was made of, whole or in part'),
        bytes: count.describe('as stored; in a dry run an estimate'),
      }),
    )
    .describe('segments that were made of others'),
  deleted: z
    .array(z.strictObject({ key: z.string(), bytes: count }))
    .describe('segments that nothing needed for the time of grace'),
  waiting: z
    .array(z.strictObject({ key: z.string(), bytes: count, since: time, until: time }))
    .describe('segments that nothing needs, and that a run after "until" deletes'),
  freedBytes: count,
  waitingBytes: count,
}

const pinned = z.strictObject({ backup: backupSchema, changed: z.boolean().describe('false if it was so already') })

export const retentionResults = {
  expire: z.strictObject({
    database: z.string().nullable().describe('null for a simulation, or if it was every database'),
    dryRun: z.boolean(),
    policy: policy.nullable().describe('null if it was every database: each has its own'),
    policyFrom: z.enum(['options', 'configuration', 'default']).nullable(),
    keep: z.array(z.strictObject({ backup: backupSchema, reasons: z.array(reason) })).describe('oldest first'),
    drop: z
      .array(z.strictObject({ backup: backupSchema, rule: z.enum(['no-rule', 'max-backups']) }))
      .describe('oldest first'),
    ...upkeep,
    failures: z
      .array(
        z.strictObject({ database: z.string(), code: z.string(), message: z.string(), hint: z.string().nullable() }),
      )
      .describe('of every database, those that failed; if the only one fails, the last line is an error instead'),
    simulation: z
      .strictObject({
        made: count,
        every: z.enum(['hourly', 'daily', 'weekly']),
        years: z.number(),
        keep: z.array(z.strictObject({ time, reasons: z.array(reason) })).describe('oldest first'),
      })
      .nullable(),
  }),
  compact: z.strictObject({
    database: z.string(),
    dryRun: z.boolean(),
    logs: z
      .strictObject({ replaced: count, merged: count })
      .describe('small logs, and the larger ones with the same commits that took their place'),
    ...upkeep,
  }),
  pin: pinned,
  unpin: pinned,
}
