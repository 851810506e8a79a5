import { hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions, StorageCapabilities } from '../storage/storage.ts'
import { writeDocument } from './documents.ts'

const attempts = 20

export interface ReplaceIn {
  readonly storage: BackupStorage
  readonly repository: { readonly capabilities: StorageCapabilities }
}

/**
 * Replaces a document by compare-and-swap: `next` reads what is there and makes of it what shall be; it is asked again when somebody
 * else came between; undefined leaves what is there. Where the storage cannot compare, the last writer wins.
 * @throws OBJECT_CHANGED, OBJECT_EXISTS after many attempts; STORAGE_*, DISK_FULL
 */
export async function replaceDocument(
  { storage, repository }: ReplaceIn,
  kind: string,
  key: string,
  next: () => Promise<unknown>,
  options: OperationOptions = {},
): Promise<void> {
  const { conditionalCreate, conditionalReplace } = repository.capabilities
  for (let attempt = 1; ; attempt += 1) {
    const before = await storage.head(key, options)
    const body = await next()
    if (body === undefined) return
    const create = conditionalCreate ? { ifAbsent: true } : {}
    const replace = conditionalReplace ? { ifMatch: before?.etag } : {}
    try {
      await writeDocument(storage, kind, key, body, { ...options, ...(before === undefined ? create : replace) })
      return
    } catch (error) {
      if (attempt >= attempts || !hasCode(error, 'OBJECT_EXISTS', 'OBJECT_CHANGED', 'OBJECT_NOT_FOUND')) throw error
    }
  }
}
