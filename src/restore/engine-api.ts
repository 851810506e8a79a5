/** What the restore engine does, as seen from both processes. */
import { z } from 'zod'
import type { EngineApi } from '../engine/api.ts'
import { progressEvent } from '../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../engine/storage-link.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { validationReport } from '../repository/facts-schema.ts'
import { backupManifest } from '../repository/manifest.ts'
import type { Proof } from '../source/target.ts'
import type { Progress } from '../util/progress.ts'
import type { RestoreOptions, RestorePlan, RestoreResult, RestoreTargetState } from './restore-options.ts'

/** What of the options can cross to another process. */
export type RestoreRequest = Omit<RestoreOptions, 'signal' | 'onProgress'>

export type RestoreSignatures = {
  restore: {
    input: { readonly database: string; readonly storage: StorageAddress; readonly request: RestoreRequest }
    event: Progress
    output: RestoreResult
  }
}

const before = z.boolean().optional()
/** The range of a Date. */
const moment = z.number().min(-8.64e15).max(8.64e15)

export const pointRange = z.strictObject({ from: moment.optional(), to: moment.optional() })

export const restoreTargetState: z.ZodType<RestoreTargetState> = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('latest') }),
  z.strictObject({ by: z.literal('backup'), id: z.string() }),
  z.strictObject({ by: z.literal('name'), name: z.string(), before }),
  z.strictObject({ by: z.literal('lsn'), lsn: z.int().min(0), before }),
  z.strictObject({ by: z.literal('time'), time: moment, before }),
])

/** Neither a path nor a command can. */
const hasNoZeroByte = (text: string) => !text.includes('\0')

export const restoreRequest: z.ZodType<RestoreRequest> = z.strictObject({
  state: restoreTargetState,
  targetPath: z.string().min(1).refine(hasNoZeroByte),
  force: z.boolean().optional(),
  delta: z.boolean().optional(),
  dryRun: z.boolean().optional(),
  validation: z.enum(['none', 'quick', 'integrity']).optional(),
  checkCommand: z.string().refine(hasNoZeroByte).optional(),
  concurrency: z.int().min(1).optional(),
})

const lsn: z.ZodType<Lsn> = z.int().min(0).transform(toLsn)
const count = z.number().min(0)

const restorePlan: z.ZodType<RestorePlan> = z.strictObject({
  database: z.string(),
  lsn,
  time: z.number(),
  pause: z.strictObject({ fromLsn: lsn, toLsn: lsn, fromTime: z.number(), toTime: z.number() }).or(z.undefined()),
  backup: backupManifest.or(z.undefined()),
  steps: z.array(z.strictObject({ key: z.string(), kind: z.string(), from: lsn, to: lsn, bytes: count })),
  pageSize: count,
  pageCount: count,
  checksum: z.string(),
  estimate: z.strictObject({
    segments: count,
    bytesToFetch: count,
    requests: count,
    commitsToReplay: count,
    bytesToWrite: count,
    durationMs: count,
  }),
})

const proof: z.ZodType<Proof> = z.strictObject({
  state: z.bigint(),
  pagesHashed: count,
  validation: validationReport,
  factsMatch: z.boolean().or(z.undefined()),
  tablesCompared: count,
  command: z.strictObject({ output: z.string(), durationMs: count }).optional(),
  warnings: z.array(z.string()),
  durationMs: count,
})

const restoreResult: z.ZodType<RestoreResult> = z.strictObject({
  plan: restorePlan,
  dryRun: z.boolean(),
  targetPath: z.string(),
  mode: z.enum(['create', 'replace', 'delta']),
  proof: proof.or(z.undefined()),
  pagesWritten: count,
  bytesFetched: count,
  durationMs: count,
  warnings: z.array(z.string()),
})

export const restoreApi: EngineApi<RestoreSignatures> = {
  restore: {
    input: z.strictObject({ database: z.string(), storage: storageAddress, request: restoreRequest }),
    event: progressEvent,
    output: restoreResult,
  },
}
