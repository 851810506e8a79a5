/** What a worker process of the agent does, as seen from both processes. One worker follows many databases. */
import { z } from 'zod'
import type { BackupResult } from '../../backup/backup-options.ts'
import { backupResult } from '../../backup/engine-api.ts'
import type { CaptureStatus } from '../../capture/capture.ts'
import type { CaptureEvent, Unsent } from '../../capture/capture-events.ts'
import {
  captureEvent,
  captureStatus,
  type FollowRequest,
  followRequest,
  lsn,
  unsent,
} from '../../capture/engine-api.ts'
import {
  type FollowedBackupRequest,
  followedBackupRequest,
} from '../../capture/followed-backup/followed-backup-request.ts'
import type { EngineApi } from '../../engine/api.ts'
import { progressEvent } from '../../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../../engine/storage-link.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { RetentionPolicy } from '../../history/retention.ts'
import { retentionPolicySchema } from '../../maintenance/expire/retention-policy.ts'
import type { Progress } from '../../util/progress.ts'
import type { UpkeepSummary } from './upkeep-summary.ts'

export type WorkerSignatures = {
  /** Answers when following has ended. */
  follow: {
    input: {
      readonly path: string
      /** Name in the repository. */
      readonly database: string
      readonly storage: StorageAddress
      readonly request: FollowRequest
    }
    event: CaptureEvent
    output: Unsent
  }
  sync: { input: string; event: undefined; output: Lsn }
  /** By name. */
  status: { input: undefined; event: undefined; output: Readonly<Record<string, CaptureStatus>> }
  stop: { input: { readonly database: string; readonly waitMs?: number | undefined }; event: undefined; output: Unsent }
  backUp: {
    input: { readonly database: string; readonly request: FollowedBackupRequest }
    event: Progress
    output: BackupResult
  }
  /** Applies a retention policy, under the lease of following where the database is followed here. */
  expire: {
    input: UpkeepRequest & {
      readonly policy: RetentionPolicy
      /** How long what nothing needs any more stays, in milliseconds. */
      readonly graceMs?: number | undefined
    }
    event: undefined
    output: UpkeepSummary
  }
  compact: { input: UpkeepRequest; event: undefined; output: UpkeepSummary }
}

export interface UpkeepRequest {
  /** Name in the repository. */
  readonly database: string
  readonly storage: StorageAddress
}

const none = z.undefined()
const database = z.string()
const count = z.number().min(0)
const upkeepSummary: z.ZodType<UpkeepSummary> = z.strictObject({
  keptBackups: count,
  droppedBackups: count,
  mergedSegments: count,
  deletedSegments: count,
  freedBytes: count,
  waitingBytes: count,
})

export const workerApi: EngineApi<WorkerSignatures> = {
  follow: {
    input: z.strictObject({ path: z.string(), database, storage: storageAddress, request: followRequest }),
    event: captureEvent,
    output: unsent,
  },
  sync: { input: database, event: none, output: lsn },
  status: { input: none, event: none, output: z.record(z.string(), captureStatus) },
  stop: {
    input: z.strictObject({ database, waitMs: z.number().min(0).optional() }),
    event: none,
    output: unsent,
  },
  backUp: {
    input: z.strictObject({ database, request: followedBackupRequest }),
    event: progressEvent,
    output: backupResult,
  },
  expire: {
    input: z.strictObject({
      database,
      storage: storageAddress,
      policy: retentionPolicySchema,
      graceMs: count.optional(),
    }),
    event: none,
    output: upkeepSummary,
  },
  compact: { input: z.strictObject({ database, storage: storageAddress }), event: none, output: upkeepSummary },
}
