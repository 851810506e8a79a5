import type { DatabaseSync } from 'node:sqlite'

const cacheKiB = 16_384

/**
 * For a connection that checks a live database, and is closed afterwards. References and indexes are looked up all over the file: in SQLite's
 * own 2 MB next to no page is still there when it is needed again. `mmap_size` would let the process grow with the database; and in a
 * restore, which checks with two connections beside its other work, the memory is worth more than the little that it saves there.
 */
export function enlargeCache(database: DatabaseSync): void {
  database.exec(`PRAGMA cache_size = -${cacheKiB}`)
}
