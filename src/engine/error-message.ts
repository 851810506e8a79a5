import { z } from 'zod'

/** As much of an error as the other process needs to show it, act on its code and rethrow it as the same class. */
export interface ErrorMessage {
  /** `system`: an Error with Node's fields; `other`: anything that was thrown, as text. */
  readonly kind: 'holdfast' | 'backup' | 'restore' | 'system' | 'other'
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  /** A Holdfast code, or a system code such as `ENOSPC`. */
  readonly code?: string | undefined
  readonly object?: string | undefined
  readonly hint?: string | undefined
  /** Of a system error: the file. */
  readonly path?: string | undefined
  /** Of a BackupError. */
  readonly partialBackup?: z.infer<typeof partialBackup> | undefined
  /** Of a RestoreError. */
  readonly phase?: string | undefined
  readonly cause?: ErrorMessage | undefined
}

const text = z.string().optional()

const partialBackup = z.strictObject({
  database: z.string(),
  type: z.enum(['full', 'incremental', 'snapshot']),
  phase: z.string(),
  bytesRead: z.number().min(0),
  bytesStored: z.number().min(0),
  startedAt: z.number(),
})

export const errorMessage: z.ZodType<ErrorMessage> = z.strictObject({
  kind: z.enum(['holdfast', 'backup', 'restore', 'system', 'other']),
  name: z.string(),
  message: z.string(),
  stack: text,
  code: text,
  object: text,
  hint: text,
  path: text,
  partialBackup: partialBackup.optional(),
  phase: text,
  cause: z.lazy(() => errorMessage).optional(),
})
