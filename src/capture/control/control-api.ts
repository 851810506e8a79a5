/** What a process that follows databases can be asked by others of this machine. */
import { z } from 'zod'
import type { BackupResult } from '../../backup/backup-options.ts'
import type { DeletedBackup } from '../../backup/delete-backup.ts'
import { backupResult } from '../../backup/engine-api.ts'
import type { EngineApi } from '../../engine/api.ts'
import { progressEvent } from '../../engine/progress-event.ts'
import type { RetentionPolicy } from '../../history/retention.ts'
import type { CompactReport } from '../../maintenance/compact/compact-database.ts'
import type { ExpireReport } from '../../maintenance/expire/expire-database.ts'
import { compactReport, expireReport } from '../../maintenance/expire/report-schemas.ts'
import { retentionPolicySchema } from '../../maintenance/expire/retention-policy.ts'
import { backupManifest } from '../../repository/manifest.ts'
import type { Progress } from '../../util/progress.ts'
import { type FollowedBackupRequest, followedBackupRequest } from '../followed-backup/followed-backup-request.ts'

/** Which of the followed databases. */
export interface WhichDatabase {
  readonly repositoryId: string
  /** Name in the repository. */
  readonly database: string
  /** Absolute path of the file that the caller means; undefined if it only means the name. */
  readonly location?: string | undefined
}

/** How what is unneeded is deleted: as of `UpkeepOptions`. */
export interface FollowedUpkeepRequest {
  readonly which: WhichDatabase
  readonly graceMs?: number | undefined
}

export interface FollowedDeletionRequest {
  readonly which: WhichDatabase
  /** Id or name. */
  readonly backup: string
  /** As of `DeleteBackupOptions`. */
  readonly force?: boolean | undefined
}

export type CaptureControlSignatures = {
  backUp: {
    input: { readonly which: WhichDatabase; readonly request: FollowedBackupRequest }
    event: Progress
    output: BackupResult
  }
  expire: {
    input: FollowedUpkeepRequest & { readonly policy: RetentionPolicy }
    event: Progress
    output: ExpireReport
  }
  compact: { input: FollowedUpkeepRequest; event: Progress; output: CompactReport }
  deleteBackup: { input: FollowedDeletionRequest; event: undefined; output: DeletedBackup }
  follows: { input: { readonly which: WhichDatabase }; event: undefined; output: boolean }
}

const which: z.ZodType<WhichDatabase> = z.strictObject({
  repositoryId: z.string(),
  database: z.string(),
  location: z.string().optional(),
})
const graceMs = z.number().min(0).optional()

const deletedBackup: z.ZodType<DeletedBackup> = z.strictObject({
  backup: backupManifest,
  freedBytes: z.int().min(0),
  deletedSegments: z.array(z.string()),
})

export const captureControlApi: EngineApi<CaptureControlSignatures> = {
  backUp: {
    input: z.strictObject({ which, request: followedBackupRequest }),
    event: progressEvent,
    output: backupResult,
  },
  expire: {
    input: z.strictObject({ which, graceMs, policy: retentionPolicySchema }),
    event: progressEvent,
    output: expireReport,
  },
  compact: { input: z.strictObject({ which, graceMs }), event: progressEvent, output: compactReport },
  deleteBackup: {
    input: z.strictObject({ which, backup: z.string(), force: z.boolean().optional() }),
    event: z.undefined(),
    output: deletedBackup,
  },
  follows: { input: z.strictObject({ which }), event: z.undefined(), output: z.boolean() },
}
