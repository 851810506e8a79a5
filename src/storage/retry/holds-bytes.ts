import { hasCode } from '../../errors.ts'
import type { BackupStorage, ObjectInfo, OperationOptions } from '../storage.ts'

/** The object's facts if it holds exactly these bytes; undefined if it holds others, changes meanwhile or is gone. */
export async function holdsBytes(
  storage: BackupStorage,
  key: string,
  bytes: Uint8Array,
  { signal }: OperationOptions,
): Promise<ObjectInfo | undefined> {
  const before = await storage.head(key, { signal })
  if (before === undefined || before.size !== bytes.length) return undefined
  let position = 0
  try {
    for await (const chunk of storage.get(key, { signal })) {
      if (Buffer.compare(chunk, bytes.subarray(position, position + chunk.length)) !== 0) return undefined
      position += chunk.length
    }
  } catch (thrown) {
    if (hasCode(thrown, 'OBJECT_NOT_FOUND')) return undefined
    throw thrown
  }
  const after = await storage.head(key, { signal })
  return position === bytes.length && after?.etag === before.etag ? after : undefined
}
