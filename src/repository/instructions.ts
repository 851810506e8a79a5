/** What lies beside the data for whoever has nothing else: texts that come with the program. */
import { hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { readDocumentBytes } from './documents.ts'
import { formatDocument } from './format-document.ts'
import { formatKey, recoveryKey } from './layout.ts'
import { recoveryText } from './recovery-text.ts'

/** Both texts state it. It is one higher whenever they must say something new, because any format has a new version. */
export const instructionsVersion = 1

/** It is stated within so many bytes from the beginning. */
const headBytes = 1024

/** By their keys. */
export async function instructions(): Promise<(readonly [key: string, text: Uint8Array])[]> {
  const format = await formatDocument()
  const recovery = Buffer.from(recoveryText(instructionsVersion))
  return [[recoveryKey, recovery], ...(format === undefined ? [] : [[formatKey, format] as const])]
}

/**
 * Writes those that are missing or differ. One that a newer program wrote stays: it tells of what this one does not know.
 * @throws STORAGE_*, DISK_FULL, ABORTED
 */
export async function putInstructions(storage: BackupStorage, options: OperationOptions = {}): Promise<void> {
  for (const [key, text] of await instructions()) {
    const there = await textAt(storage, key, options)
    if (there !== undefined && (isNewer(there, text) || Buffer.compare(there, text) === 0)) continue
    await storage.put(key, text, options)
  }
}

/** Whether a text tells of newer formats than another one of its kind. */
export function isNewer(text: Uint8Array, other: Uint8Array): boolean {
  return (statedVersion(text) ?? 0) > (statedVersion(other) ?? 0)
}

/** Of a text like `… format version 1 …`; undefined where it states none. */
export function statedVersion(text: Uint8Array): number | undefined {
  const head = Buffer.from(text.subarray(0, headBytes)).toString('latin1')
  const [, version] = /\bformat version (\d{1,6})\b/i.exec(head) ?? []
  return version === undefined ? undefined : Number(version)
}

/** Undefined for one that is not there, and for one that cannot be read: either is written anew. */
export async function textAt(
  storage: BackupStorage,
  key: string,
  options: OperationOptions = {},
): Promise<Uint8Array | undefined> {
  try {
    return await readDocumentBytes(storage, key, options)
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) return undefined
    throw error
  }
}
