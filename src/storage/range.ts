import { HoldfastError } from '../errors.ts'
import type { GetOptions } from './storage.ts'

/** The bytes `[start, end)` of an object of `size` bytes that a get with these options returns. */
export function resolveRange(size: number, options: GetOptions = {}): { readonly start: number; readonly end: number } {
  checkRange(options)
  const offset = options.offset ?? 0
  const start = offset < 0 ? Math.max(0, size + offset) : Math.min(size, offset)
  const end = options.length === undefined ? size : Math.min(size, start + options.length)
  return { start, end }
}

/** @throws USAGE */
export function checkRange(options: GetOptions): void {
  const { offset = 0, length = 0 } = options
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && length >= 0) return
  throw new HoldfastError('USAGE', `Not a byte range: offset ${offset}, length ${options.length ?? 'to the end'}.`)
}
