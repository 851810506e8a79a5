/** What the examiner does: it holds one state of a live database that another process follows, and says what is in it. */
import { z } from 'zod'
import type { EngineApi } from '../../engine/api.ts'
import { progressEvent } from '../../engine/progress-event.ts'
import { type StorageAddress, storageAddress } from '../../engine/storage-link.ts'
import { databaseFacts, validationReport } from '../../repository/facts-schema.ts'
import type { Codec } from '../../segment/segment.ts'
import type { Inspection, ValidationLevel } from '../../source/source.ts'
import type { Progress } from '../../util/progress.ts'

export interface OpenedState {
  readonly pageSize: number
  readonly pageCount: number
  /** Milliseconds since 1970. */
  readonly capturedAt: number
  readonly blocksWriters: boolean
}

/** Where a base of the state that is held is to be written. */
export interface BasePlace {
  readonly storage: StorageAddress
  readonly database: string
  readonly lsn: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly epoch: number
  readonly codec: Codec
  readonly level?: number | undefined
}

export interface StoredBase {
  readonly key: string
  readonly pages: number
  readonly rawBytes: number
  readonly storedBytes: number
  /** State checksum, sixteen hexadecimal digits. */
  readonly state: string
}

export type ExaminerSignatures = {
  /** Takes the newest state. Writers of a rollback-journal database wait until the engine is closed. */
  open: { input: { path: string; busyTimeoutMs?: number | undefined }; event: undefined; output: OpenedState }
  inspect: { input: { validation: ValidationLevel; rowCounts: boolean }; event: undefined; output: Inspection }
  /** Reads every page: the state checksum. */
  hash: { input: undefined; event: Progress; output: string }
  /** Stores every page as a base, and reads it back. */
  storeBase: { input: BasePlace; event: Progress; output: StoredBase }
}

const count = z.int().min(0)
const none = z.undefined()
const state = z.string().regex(/^[0-9a-f]{16}$/)

export const examinerApi: EngineApi<ExaminerSignatures> = {
  open: {
    input: z.strictObject({ path: z.string(), busyTimeoutMs: z.number().min(0).optional() }),
    event: none,
    output: z.strictObject({
      pageSize: count,
      pageCount: count,
      capturedAt: z.number(),
      blocksWriters: z.boolean(),
    }),
  },
  inspect: {
    input: z.strictObject({ validation: z.enum(['none', 'quick', 'integrity']), rowCounts: z.boolean() }),
    event: none,
    output: z.strictObject({
      facts: databaseFacts,
      validation: validationReport,
      tablesBreakingForeignKeys: z.array(z.string()).optional(),
    }),
  },
  hash: { input: none, event: progressEvent, output: state },
  storeBase: {
    input: z.strictObject({
      storage: storageAddress,
      database: z.string(),
      lsn: count,
      time: z.number(),
      epoch: count,
      codec: z.enum(['none', 'gzip', 'zstd']),
      level: z.int().optional(),
    }),
    event: progressEvent,
    output: z.strictObject({ key: z.string(), pages: count, rawBytes: count, storedBytes: count, state }),
  },
}
