/** What the verification engine does, as seen from both processes. */
import { z } from 'zod'
import type { EngineApi } from '../engine/api.ts'
import { progressEvent } from '../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../engine/storage-link.ts'
import type { Progress } from '../util/progress.ts'
import type { DrillReport } from './drill/drill-options.ts'
import { type DrillRequest, drillReport, drillRequest } from './drill/drill-schema.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'

/** What of the options can cross to another process. */
export type VerifyRequest = Omit<VerifyOptions, 'signal' | 'onProgress'>

export type VerifySignatures = {
  verify: {
    input: { readonly storage: StorageAddress; readonly request: VerifyRequest }
    event: Progress
    output: VerifyResult
  }
  drill: {
    input: { readonly storage: StorageAddress; readonly database: string; readonly request: DrillRequest }
    event: Progress
    output: DrillReport
  }
}

const level = z.enum(['metadata', 'data', 'restore'])
const count = z.number().min(0)

export const verifyRequest: z.ZodType<VerifyRequest> = z.strictObject({
  level: level.optional(),
  databases: z.array(z.string()).optional(),
  backup: z.string().optional(),
  subset: z.number().optional(),
  maxDurationMs: count.optional(),
  scratchFolder: z.string().optional(),
})

const verifyResult: z.ZodType<VerifyResult> = z.strictObject({
  level,
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({
      database: z.string().or(z.undefined()),
      object: z.string(),
      problem: z.string(),
      affectedBackups: z.array(z.string()),
    }),
  ),
  checked: z.strictObject({ manifests: count, segments: count, bytes: count, restores: count }),
  remaining: count,
  untried: count,
  restorable: z.array(z.string()),
  warnings: z.array(z.string()),
  durationMs: count,
})

export const verifyApi: EngineApi<VerifySignatures> = {
  verify: {
    input: z.strictObject({ storage: storageAddress, request: verifyRequest }),
    event: progressEvent,
    output: verifyResult,
  },
  drill: {
    input: z.strictObject({ storage: storageAddress, database: z.string(), request: drillRequest }),
    event: progressEvent,
    output: drillReport,
  },
}
