/** Small things that the agent must remember over a restart, each a document in its state folder. */
import { dirname } from 'node:path'
import type { z } from 'zod'
import { type LocalFiles, localFiles } from '../../capture/spool/local-files.ts'
import { hasCode, toHoldfastError } from '../../errors.ts'
import { decodeDocument, encodeDocument } from '../../repository/document.ts'

export type ReadState<T> =
  | { readonly found: true; readonly body: T }
  /** `problem`: there is one, but it cannot be used. */
  | { readonly found: false; readonly problem?: string }

/** What cannot be read, because it is torn, damaged or of another version, counts as none. @throws ACCESS_DENIED, INTERNAL */
export async function readState<T>(
  kind: string,
  schema: z.ZodType<T>,
  path: string,
  files: LocalFiles = localFiles,
): Promise<ReadState<T>> {
  let bytes: Uint8Array
  try {
    const file = await files.open(path)
    try {
      bytes = await file.read(0, file.size)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { found: false }
    throw toHoldfastError(error, path)
  }
  try {
    return { found: true, body: decodeDocument(kind, schema, bytes, path) }
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW')) return { found: false, problem: error.message }
    throw error
  }
}

/**
 * Durable when it resolves; until then a reader finds the former one. The folder is made if it is missing.
 * @returns bytes written
 */
export async function writeState(
  kind: string,
  body: unknown,
  path: string,
  files: LocalFiles = localFiles,
): Promise<number> {
  const bytes = encodeDocument(kind, body)
  const temporary = `${path}.tmp`
  const folder = dirname(path)
  try {
    await files.makeFolder(folder)
    const file = await files.create(temporary)
    try {
      await file.write(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(temporary, path)
    await files.syncFolder(folder)
  } catch (error) {
    throw toHoldfastError(error, path)
  }
  return bytes.length
}
