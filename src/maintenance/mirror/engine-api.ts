/** What the mirroring engine does, as seen from both processes. */
import { z } from 'zod'
import type { EngineApi } from '../../engine/api.ts'
import { progressEvent } from '../../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../../engine/storage-link.ts'
import { type ErrorCode, isErrorCode } from '../../errors.ts'
import type { Progress } from '../../util/progress.ts'
import type { MirrorOptions, MirrorReport } from './mirror-options.ts'

/** What of the options can cross to another process. */
export type MirrorRequest = Omit<MirrorOptions, 'signal' | 'onProgress'>

export type MirrorSignatures = {
  mirror: {
    input: {
      readonly source: StorageAddress
      /** A path or URL. */
      readonly to: string
      readonly request: MirrorRequest
    }
    event: Progress
    output: MirrorReport
  }
}

const count = z.int().min(0)
const milliseconds = z.number().min(0)

export const mirrorRequest: z.ZodType<MirrorRequest> = z.strictObject({
  databases: z.array(z.string()).optional(),
  dryRun: z.boolean().optional(),
  graceMs: milliseconds.optional(),
  maxDelete: count.optional(),
  dropMissing: z.boolean().optional(),
  begin: z.boolean().optional(),
  leaseWaitMs: milliseconds.optional(),
  now: z.number().optional(),
})

const mirrorReport: z.ZodType<MirrorReport> = z.strictObject({
  source: z.string(),
  mirror: z.string(),
  dryRun: z.boolean(),
  isNew: z.boolean(),
  complete: z.boolean(),
  completeAt: z.number().or(z.undefined()),
  databases: z.array(z.string()),
  copied: z.strictObject({ objects: count, bytes: count }),
  healed: z.array(z.string()),
  deleted: z.array(z.strictObject({ key: z.string(), bytes: count })),
  waiting: z.array(z.strictObject({ key: z.string(), since: z.number(), until: z.number() })),
  missing: z.array(z.string()),
  heldBack: z.array(z.strictObject({ database: z.string(), reason: z.string() })),
  findings: z.array(
    z.strictObject({
      object: z.string(),
      side: z.enum(['source', 'mirror', 'both']),
      problem: z.string(),
      soundCopy: z.enum(['source', 'mirror']).or(z.undefined()),
    }),
  ),
  failures: z.array(
    z.strictObject({
      database: z.string(),
      code: z.custom<ErrorCode>(isErrorCode),
      message: z.string(),
      hint: z.string().or(z.undefined()),
    }),
  ),
  durationMs: milliseconds,
})

export const mirrorApi: EngineApi<MirrorSignatures> = {
  mirror: {
    input: z.strictObject({ source: storageAddress, to: z.string(), request: mirrorRequest }),
    event: progressEvent,
    output: mirrorReport,
  },
}
