/**
 * What the main thread and the thread of the SQLite connection say to one another. One request at a time, each with one
 * answer, in order.
 */
import { type ErrorCode, HoldfastError } from '../../../errors.ts'
import type { Inspection, ValidationLevel } from '../../source.ts'
import { isSqliteError } from '../sqlite-error.ts'

export type ReaderRequest =
  | { readonly op: 'open'; readonly path: string; readonly access: 'read-only' | 'read-write'; readonly waitMs: number }
  | { readonly op: 'begin'; readonly sharedMemory: number | undefined; readonly waitMs: number }
  | { readonly op: 'inspect'; readonly validation: ValidationLevel; readonly rowCounts: boolean }
  | { readonly op: 'close' }

export interface Opened {
  readonly engineVersion: string
  readonly usesLog: boolean
}

/** The state that the connection now holds. */
export interface Begun {
  readonly usesLog: boolean
  /** Where SQLite's snapshot ends; undefined in rollback mode, or when no shared memory was given. */
  readonly horizon: PinnedHorizon | undefined
  /** As SQLite sees them. */
  readonly pageSize: number
  readonly pageCount: number
  /** How often the log moved on between our look at it and SQLite's. */
  readonly retries: number
}

export interface PinnedHorizon {
  /** The wal-index header that the snapshot was taken at: 48 bytes. */
  readonly header: Uint8Array
  /** Frames that checkpoints had copied into the database, read after the snapshot began. */
  readonly backfilled: number
}

export type ReaderAnswer =
  | { readonly op: 'open'; readonly value: Opened }
  | { readonly op: 'begin'; readonly value: Begun }
  | { readonly op: 'inspect'; readonly value: Inspection }
  | { readonly op: 'close' }
  | { readonly op: 'failure'; readonly failure: Failure }

/** A request, and a flag that the main thread raises to cancel it: one 32-bit integer. */
export interface ReaderMessage {
  readonly request: ReaderRequest
  readonly cancelled: SharedArrayBuffer
}

/** Errors lose their own fields between threads, so they travel as data. */
export type Failure =
  | { readonly kind: 'sqlite'; readonly message: string; readonly errcode: number }
  | { readonly kind: 'holdfast'; readonly message: string; readonly code: ErrorCode; readonly hint: string | undefined }
  | { readonly kind: 'other'; readonly error: unknown }

export function toFailure(thrown: unknown): Failure {
  if (isSqliteError(thrown)) return { kind: 'sqlite', message: thrown.message, errcode: thrown.errcode }
  if (thrown instanceof HoldfastError) {
    return { kind: 'holdfast', message: thrown.message, code: thrown.code, hint: thrown.hint }
  }
  return { kind: 'other', error: thrown }
}

export function fromFailure(failure: Failure, object: string): unknown {
  switch (failure.kind) {
    case 'sqlite':
      return Object.assign(new Error(failure.message), { errcode: failure.errcode })
    case 'holdfast':
      return new HoldfastError(failure.code, failure.message, { object, hint: failure.hint })
    case 'other':
      return failure.error
  }
}
