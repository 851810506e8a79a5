/** Errors cross the channel with class, code, object, hint, causes and what a failed backup or restore knows. */
import { inspect } from 'node:util'
import { BackupError, type ErrorCode, HoldfastError, isErrorCode, RestoreError, toHoldfastError } from '../errors.ts'
import type { ErrorMessage } from './error-message.ts'

/** A chain of causes may be circular. */
const maximumCauses = 8

export function packError(thrown: unknown, depth = 0): ErrorMessage {
  if (!(thrown instanceof Error)) return { kind: 'other', name: 'Error', message: asText(thrown) }
  // Its own message says nothing of the two errors that it is made of.
  if (thrown instanceof SuppressedError) return packError(toHoldfastError(thrown), depth)
  const { name, message, stack } = thrown
  const reason = thrown.cause instanceof SuppressedError ? thrown.cause.suppressed : thrown.cause
  const cause = reason === undefined || depth === maximumCauses ? {} : { cause: packError(reason, depth + 1) }
  if (thrown instanceof HoldfastError) {
    const { code, object, hint } = thrown
    const shared = { name, message, stack, code, object, hint, ...cause }
    if (thrown instanceof BackupError) return { kind: 'backup', partialBackup: thrown.partialBackup, ...shared }
    if (thrown instanceof RestoreError) return { kind: 'restore', phase: thrown.phase, ...shared }
    return { kind: 'holdfast', ...shared }
  }
  return { kind: 'system', name, message, stack, code: field(thrown, 'code'), path: field(thrown, 'path'), ...cause }
}

export function reviveError(packed: ErrorMessage): unknown {
  if (packed.kind === 'other') return packed.message
  const error = packed.kind === 'system' ? systemError(packed) : holdfastError(packed)
  // The stack of where it was thrown says more than that of where it was revived.
  if (packed.stack !== undefined) Object.defineProperty(error, 'stack', { value: packed.stack, writable: true })
  return error
}

function holdfastError(packed: ErrorMessage): HoldfastError {
  const code: ErrorCode = isErrorCode(packed.code) ? packed.code : 'INTERNAL'
  const details = { object: packed.object, hint: packed.hint, cause: revivedCause(packed) }
  if (packed.kind === 'backup' && packed.partialBackup !== undefined) {
    return new BackupError(code, packed.message, packed.partialBackup, details)
  }
  if (packed.kind === 'restore') return new RestoreError(code, packed.message, packed.phase ?? '', details)
  return new HoldfastError(code, packed.message, details)
}

function systemError(packed: ErrorMessage): Error {
  const cause = revivedCause(packed)
  const error = new Error(packed.message, cause === undefined ? undefined : { cause })
  return Object.assign(error, { name: packed.name, ...given('code', packed.code), ...given('path', packed.path) })
}

function revivedCause(packed: ErrorMessage): unknown {
  return packed.cause === undefined ? undefined : reviveError(packed.cause)
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value }
}

function field(error: Error, name: 'code' | 'path'): string | undefined {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : undefined
}

function asText(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 2 })
}
