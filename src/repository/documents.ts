import type { z } from 'zod'
import { HoldfastError, hasCode } from '../errors.ts'
import type { BackupStorage, ObjectInfo, OperationOptions, PutOptions } from '../storage/storage.ts'
import { collectBytes } from '../util/bytes.ts'
import { decodeDocument, encodeDocument } from './document.ts'

/** No document of ours is near this size; a larger one is damage, not data. */
const largestDocument = 64 * 1024 * 1024

/** Undefined if there is no such object. @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_* */
export async function readDocument<T>(
  storage: BackupStorage,
  kind: string,
  schema: z.ZodType<T>,
  key: string,
  options: OperationOptions = {},
): Promise<T | undefined> {
  const bytes = await readDocumentBytes(storage, key, options)
  return bytes === undefined ? undefined : decodeDocument(kind, schema, bytes, key)
}

/** A document as it is stored; undefined if there is no such object. @throws INTEGRITY if it is too large to be one, STORAGE_* */
export async function readDocumentBytes(
  storage: BackupStorage,
  key: string,
  options: OperationOptions = {},
): Promise<Uint8Array | undefined> {
  try {
    return await collectBytes(storage.get(key, options), largestDocument)
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined
    if (error instanceof RangeError) throw tooLarge(key, error)
    throw error
  }
}

/** @throws DATABASE_UNSUPPORTED if it would be too large to be read again, STORAGE_* */
export async function writeDocument(
  storage: BackupStorage,
  kind: string,
  key: string,
  body: unknown,
  options: PutOptions = {},
): Promise<ObjectInfo> {
  const bytes = encodeDocument(kind, body)
  if (bytes.length <= largestDocument) return storage.put(key, bytes, options)
  throw new HoldfastError(
    'DATABASE_UNSUPPORTED',
    `The object ${key} would be larger than any document may be (64 MiB), so it is not written.`,
    { object: key, hint: 'The names of all tables of a database must fit into one document, with their row counts.' },
  )
}

function tooLarge(key: string, cause: RangeError): HoldfastError {
  return new HoldfastError('INTEGRITY', `The object ${key} is damaged: it is far larger than any document is.`, {
    object: key,
    cause,
    hint: 'Run "holdfast verify" to see what else is affected.',
  })
}
