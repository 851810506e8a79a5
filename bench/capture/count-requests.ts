import type { BackupStorage } from '../../src/storage/storage.ts'

/** The same storage, and how often it was asked for something so far. */
export function countRequests(inner: BackupStorage): {
  readonly storage: BackupStorage
  readonly requests: () => number
} {
  let requests = 0
  const storage: BackupStorage = {
    url: inner.url,
    capabilities: inner.capabilities,
    put: (key, body, options) => {
      requests++
      return inner.put(key, body, options)
    },
    get: (key, options) => {
      requests++
      return inner.get(key, options)
    },
    head: (key, options) => {
      requests++
      return inner.head(key, options)
    },
    list: (prefix, options) => {
      requests++
      return inner.list(prefix, options)
    },
    close: () => inner.close(),
    delete: (key, options) => {
      requests++
      return inner.delete(key, options)
    },
  }
  return { storage, requests: () => requests }
}
