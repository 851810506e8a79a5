/** What the backup engine does, as seen from both processes. */
import { z } from 'zod'
import type { EngineApi } from '../engine/api.ts'
import { progressEvent } from '../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../engine/storage-link.ts'
import { backupManifest, backupTypes } from '../repository/manifest.ts'
import type { Progress } from '../util/progress.ts'
import type { BackupResult, CreateBackupOptions } from './backup-options.ts'
import { type NameChoice, namingPlaces } from './identity.ts'

/** What of the options can cross to another process. */
export type BackupRequest = Omit<CreateBackupOptions, 'signal' | 'onProgress'> & NameChoice

export type BackupSignatures = {
  createBackup: {
    input: {
      readonly path: string
      /** Name in the repository unless the request gives one. */
      readonly defaultName: string
      readonly storage: StorageAddress
      readonly request: BackupRequest
    }
    event: Progress
    output: BackupResult
  }
}

const milliseconds = z.number().min(0)

export const backupRequest: z.ZodType<BackupRequest> = z.strictObject({
  type: z.enum(backupTypes),
  database: z.string().optional(),
  unnamedIn: z.enum(namingPlaces).optional(),
  parent: z.string().optional(),
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  validation: z.enum(['none', 'quick', 'integrity']).optional(),
  rowCounts: z.boolean().optional(),
  allowDamaged: z.boolean().optional(),
  codec: z.enum(['none', 'gzip', 'zstd']).optional(),
  level: z.int().optional(),
  busyTimeoutMs: milliseconds.optional(),
  leaseWaitMs: milliseconds.optional(),
})

export const backupResult: z.ZodType<BackupResult> = z.strictObject({
  metadata: backupManifest,
  warnings: z.array(z.string()),
  durationMs: z.number(),
  writersBlockedMs: z.number(),
})

export const backupApi: EngineApi<BackupSignatures> = {
  createBackup: {
    input: z.strictObject({
      path: z.string(),
      defaultName: z.string(),
      storage: storageAddress,
      request: backupRequest,
    }),
    event: progressEvent,
    output: backupResult,
  },
}
