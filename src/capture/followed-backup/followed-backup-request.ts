import { z } from 'zod'
import type { CreateBackupOptions } from '../../backup/backup-options.ts'
import { backupTypes } from '../../repository/manifest.ts'

/** What can be asked of a backup while the database is followed. It has no parent: it builds on the logs. */
export type FollowedBackupRequest = Omit<CreateBackupOptions, 'parent' | 'leaseWaitMs' | 'signal' | 'onProgress'>

export const followedBackupRequest: z.ZodType<FollowedBackupRequest> = z.strictObject({
  type: z.enum(backupTypes),
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  validation: z.enum(['none', 'quick', 'integrity']).optional(),
  rowCounts: z.boolean().optional(),
  allowDamaged: z.boolean().optional(),
  codec: z.enum(['none', 'gzip', 'zstd']).optional(),
  level: z.int().optional(),
  busyTimeoutMs: z.number().min(0).optional(),
})
