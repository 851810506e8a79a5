import { HoldfastError } from '../errors.ts'
import type { PutOptions } from './storage.ts'

/** @throws USAGE if a put asks for two conditions that exclude one another. */
export function checkConditions(key: string, options: PutOptions): void {
  if (options.ifAbsent !== true || options.ifMatch === undefined) return
  throw new HoldfastError('USAGE', 'A put takes ifAbsent or ifMatch, not both.', { object: key })
}

export function objectNotFound(key: string, cause?: unknown): HoldfastError {
  return new HoldfastError('OBJECT_NOT_FOUND', `There is no object ${key}.`, { object: key, cause })
}

export function objectExists(key: string, cause?: unknown): HoldfastError {
  return new HoldfastError('OBJECT_EXISTS', `There is an object ${key} already.`, { object: key, cause })
}

export function objectChanged(key: string): HoldfastError {
  return new HoldfastError('OBJECT_CHANGED', `The object ${key} is no longer the version that was read.`, {
    object: key,
  })
}
