import type { DatabaseSync } from 'node:sqlite'

/** For all connections of one check together: a restore that checks must stay below 200 MB. */
const cacheKiB = 16_384

/**
 * For a connection that checks, and is closed afterwards. References and indexes are looked up all over the file: in SQLite's own
 * 2 MB next to no page is still there when it is needed again. `mmap_size` would let the process grow with the database.
 * @param connections so many check at once
 */
export function enlargeCache(database: DatabaseSync, connections: number): void {
  database.exec(`PRAGMA cache_size = -${cacheKiB / connections}`)
}
