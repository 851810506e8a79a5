/** What a process that follows databases can be asked by others of this machine. */
import { z } from 'zod'
import type { BackupResult } from '../../backup/backup-options.ts'
import { backupResult } from '../../backup/engine-api.ts'
import type { EngineApi } from '../../engine/api.ts'
import { progressEvent } from '../../engine/progress-event.ts'
import type { Progress } from '../../util/progress.ts'
import { type FollowedBackupRequest, followedBackupRequest } from '../followed-backup/followed-backup-request.ts'

/** Which of the followed databases. */
export interface WhichDatabase {
  readonly repositoryId: string
  /** Name in the repository. */
  readonly database: string
  /** Absolute path of the file that the caller means. */
  readonly location: string
}

export type CaptureControlSignatures = {
  backUp: {
    input: { readonly which: WhichDatabase; readonly request: FollowedBackupRequest }
    event: Progress
    output: BackupResult
  }
}

const which: z.ZodType<WhichDatabase> = z.strictObject({
  repositoryId: z.string(),
  database: z.string(),
  location: z.string(),
})

export const captureControlApi: EngineApi<CaptureControlSignatures> = {
  backUp: {
    input: z.strictObject({ which, request: followedBackupRequest }),
    event: progressEvent,
    output: backupResult,
  },
}
