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
import type { Progress } from '../../util/progress.ts'

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
}

const none = z.undefined()
const database = z.string()

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
}
