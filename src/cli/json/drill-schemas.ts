/** What `drill` writes, and what `list` and `show` know of drills. */
import { z } from 'zod'
import { backupTypes } from '../../repository/manifest.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const milliseconds = z.number().min(0)
const verdict = z.enum(['passed', 'failed', 'inconclusive'])

const lastDrill = z.strictObject({
  verdict,
  time,
  reasons: z.array(z.string()).describe('why it did not pass'),
  recoveryMs: milliseconds.nullable().describe('proof included; null if it was not recovered'),
})

/** Of one backup. */
export const drilledSchema = lastDrill
  .extend({
    decided: z
      .strictObject({ verdict: z.enum(['passed', 'failed']), time, recoveryMs: milliseconds.nullable() })
      .nullable()
      .describe('the last drill that was not inconclusive: this one, or one before it'),
  })
  .nullable()
  .describe('the last restore drill of this backup, null if there was none')

/** Of a database. */
export const lastDrillSchema = lastDrill
  .extend({
    lsn: count.nullable(),
    stateTime: time.nullable(),
    backup: z.string().nullable().describe('id; null for a state between backups'),
  })
  .nullable()
  .describe('the last restore drill of any state of this database, null if there was none')

export const drillResult = z.strictObject({
  database: z.string(),
  verdict: verdict.describe('failed: exit status 5; inconclusive, it could not be tried: 3'),
  reasons: z.array(z.string()).describe('why it did not pass'),
  checks: z
    .array(
      z.strictObject({
        kind: z.enum([
          'restore',
          'integrity',
          'foreign-keys',
          'contents',
          'assertion',
          'command',
          'recovery-time',
          'age',
        ]),
        name: z.string().nullable().describe('of an assertion'),
        outcome: z.enum(['passed', 'failed', 'inconclusive', 'skipped']),
        detail: z.string(),
        durationMs: milliseconds.nullable(),
      }),
    )
    .describe('in the order in which they were made; after a restore that failed there are no others'),
  state: z
    .strictObject({
      lsn: count,
      time: time.nullable(),
      ageMs: milliseconds.nullable().describe('how old the state was when the drill began'),
      backup: z.strictObject({ id: z.string(), type: z.enum(backupTypes), name: z.string().nullable() }).nullable(),
    })
    .nullable()
    .describe('what was tried; null if it did not come so far'),
  seed: z.int().nullable().describe('of --random: repeats the choice'),
  recovery: z
    .strictObject({
      durationMs: milliseconds.describe('proof included'),
      phases: z.array(z.strictObject({ phase: z.string(), durationMs: milliseconds })),
      bytesFetched: count,
      bytesWritten: count,
      commitsReplayed: count,
    })
    .nullable()
    .describe('null if it could not be recovered'),
  failure: z
    .strictObject({ code: z.string(), object: z.string().nullable() })
    .nullable()
    .describe('of what kept it from being recovered'),
  keptFile: z.string().nullable(),
  warnings: z.array(z.string()),
  startedAt: time,
  durationMs: milliseconds,
})

export type Drilled = z.infer<typeof drilledSchema>
export type LastDrill = z.infer<typeof lastDrillSchema>
