/** Options and report of a drill, as they cross to another process. */
import { z } from 'zod'
import { type ErrorCode, isErrorCode } from '../../errors.ts'
import { type Lsn, toLsn } from '../../history/lsn.ts'
import { backupTypes } from '../../repository/manifest.ts'
import { restoreTargetState } from '../../restore/engine-api.ts'
import { assertion } from './assertion.ts'
import type { DrillCheck, DrillOptions, DrillReport, DrillState } from './drill-options.ts'

/** What of the options can cross to another process. */
export type DrillRequest = Omit<DrillOptions, 'signal' | 'onProgress'>

const duration = z.number().min(0)
const verdict = z.enum(['passed', 'failed', 'inconclusive'])

const drillState: z.ZodType<DrillState> = z.union([
  restoreTargetState,
  z.strictObject({ by: z.literal('random'), seed: z.int().min(0).optional() }),
])

export const drillRequest: z.ZodType<DrillRequest> = z.strictObject({
  state: drillState.optional(),
  assertions: z.array(assertion).optional(),
  command: z.union([z.string().min(1), z.tuple([z.string().min(1)], z.string())]).optional(),
  timeLimitMs: duration.optional(),
  maxRecoveryMs: duration.optional(),
  maxAgeMs: duration.optional(),
  scratchFolder: z.string().min(1).optional(),
  keep: z.boolean().optional(),
})

const check: z.ZodType<DrillCheck> = z.strictObject({
  kind: z.enum(['restore', 'integrity', 'foreign-keys', 'contents', 'assertion', 'command', 'recovery-time', 'age']),
  name: z.string().optional(),
  outcome: z.enum(['passed', 'failed', 'inconclusive', 'skipped']),
  detail: z.string(),
  durationMs: duration.optional(),
})

const lsn: z.ZodType<Lsn> = z.int().min(0).transform(toLsn)
const optionally = <T>(schema: z.ZodType<T>) => schema.or(z.undefined())

export const drillReport: z.ZodType<DrillReport> = z.strictObject({
  database: z.string(),
  verdict,
  reasons: z.array(z.string()),
  checks: z.array(check),
  state: optionally(
    z.strictObject({
      lsn,
      time: optionally(z.number()),
      ageMs: optionally(duration),
      backup: optionally(z.strictObject({ id: z.string(), type: z.enum(backupTypes), name: z.string().nullable() })),
    }),
  ),
  seed: optionally(z.number()),
  recovery: optionally(
    z.strictObject({
      durationMs: duration,
      phases: z.array(z.strictObject({ phase: z.string(), durationMs: duration })),
      bytesFetched: duration,
      bytesWritten: duration,
      commitsReplayed: duration,
    }),
  ),
  failure: optionally(z.strictObject({ code: z.custom<ErrorCode>(isErrorCode), object: optionally(z.string()) })),
  keptFile: optionally(z.string()),
  warnings: z.array(z.string()),
  startedAt: z.number(),
  durationMs: duration,
})
