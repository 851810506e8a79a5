/** What the capture engine does, as seen from both processes. One engine follows one database. */
import { z } from 'zod'
import { namingPlaces } from '../backup/identity.ts'
import type { EngineApi } from '../engine/api.ts'
import { type StorageAddress, storageAddress } from '../engine/storage-link.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import type { CaptureStatus, StopOptions } from './capture.ts'
import type { CaptureEvent, Unsent } from './capture-events.ts'
import type { FollowOptions } from './follow-options.ts'

/** What of the options can cross to another process. */
export type FollowRequest = Omit<FollowOptions, 'rollUp' | 'control' | 'signal' | 'onEvent' | 'clock' | 'files'>

export type CaptureSignatures = {
  /** Answers when following has ended. */
  follow: {
    input: {
      readonly path: string
      /** Name in the repository unless the request gives one. */
      readonly defaultName: string
      readonly storage: StorageAddress
      readonly request: FollowRequest
    }
    event: CaptureEvent
    output: Unsent
  }
  sync: { input: undefined; event: undefined; output: Lsn }
  status: { input: undefined; event: undefined; output: CaptureStatus }
  stop: { input: StopOptions; event: undefined; output: Unsent }
}

const milliseconds = z.number().min(0).optional()
const bytes = z.number().min(0).optional()

export const followRequest: z.ZodType<FollowRequest> = z.strictObject({
  database: z.string().optional(),
  unnamedIn: z.enum(namingPlaces).optional(),
  stateFolder: z.string().min(1).optional(),
  syncIntervalMs: milliseconds,
  maxBatchBytes: bytes,
  handOff: z.strictObject({ logBytes: bytes, ageMs: milliseconds }).optional(),
  auditIntervalMs: milliseconds,
  spoolLimitBytes: bytes,
  codec: z.enum(['none', 'gzip', 'zstd']).optional(),
  level: z.int().optional(),
  leaseWaitMs: milliseconds,
  busyTimeoutMs: milliseconds,
  stopWaitMs: milliseconds,
  enableWal: z.boolean().optional(),
  deltaIntervalMs: z.number().min(1).optional(),
  rollUpEvery: z.int().min(1).optional(),
})

const count = z.number().min(0)
export const lsn: z.ZodType<Lsn> = z.int().min(0).transform(toLsn)
export const unsent: z.ZodType<Unsent> = z.strictObject({
  segments: count,
  bytes: count,
  gaveUpAfter: lsn.optional(),
})

export const captureEvent: z.ZodType<CaptureEvent> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('started'),
    mode: z.enum(['commits', 'deltas']),
    how: z.enum(['first', 'resumed', 'unchanged', 'healed']),
    lsn,
    time: z.number(),
  }),
  z.strictObject({ kind: z.literal('commits'), count, bytes: count, lsn, time: z.number() }),
  z.strictObject({ kind: z.literal('uploaded'), segment: z.string(), lsn, bytes: count, lagMs: z.number() }),
  z.strictObject({
    kind: z.literal('handed-off'),
    complete: z.boolean(),
    lockHeldMs: count,
    framesBefore: count,
    framesLeft: count,
  }),
  z.strictObject({
    kind: z.literal('gap'),
    fromLsn: lsn,
    toLsn: lsn,
    fromTime: z.number(),
    toTime: z.number(),
    reason: z.string(),
  }),
  z.strictObject({ kind: z.literal('warning'), message: z.string(), hint: z.string().optional() }),
  z.strictObject({
    kind: z.literal('retrying'),
    what: z.enum(['upload', 'database']),
    message: z.string(),
    delayMs: count,
    failures: count,
  }),
  z.strictObject({
    kind: z.literal('spool-full'),
    action: z.enum(['merged', 'gave-up']),
    bytes: count,
    limitBytes: count,
  }),
  z.strictObject({ kind: z.literal('stopped'), left: unsent }),
])

export const captureStatus: z.ZodType<CaptureStatus> = z.strictObject({
  lsn,
  time: z.number(),
  durableLsn: lsn,
  waiting: unsent,
  logBytes: count,
  trouble: z.string().nullable(),
})

export const stopOptions: z.ZodType<StopOptions> = z.strictObject({ waitMs: milliseconds })

const none = z.undefined()

export const captureApi: EngineApi<CaptureSignatures> = {
  follow: {
    input: z.strictObject({
      path: z.string(),
      defaultName: z.string(),
      storage: storageAddress,
      request: followRequest,
    }),
    event: captureEvent,
    output: unsent,
  },
  sync: { input: none, event: none, output: lsn },
  status: {
    input: none,
    event: none,
    output: captureStatus,
  },
  stop: { input: stopOptions, event: none, output: unsent },
}
