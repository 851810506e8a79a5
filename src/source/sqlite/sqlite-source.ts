import { parse, resolve } from 'node:path'
import type { FollowingSource } from '../follower.ts'
import type { BackupSource } from '../source.ts'
import { enableWal } from './enable-wal.ts'
import { openSqliteFollower } from './follow/open-follower.ts'
import { openSqliteSnapshot } from './sqlite-snapshot.ts'

export interface SqliteOptions {
  /** How long a snapshot waits for locks unless told otherwise, in milliseconds; default 5000. */
  readonly busyTimeoutMs?: number | undefined
}

export type SqliteSource = BackupSource &
  FollowingSource & {
    /** Switches the database to a write-ahead log, for good. @throws DATABASE_BUSY, DATABASE_UNSUPPORTED */
    enableWal(): Promise<void>
  }

/**
 * A SQLite database as the source of backups.
 *
 * Runs only in a process of its own: two copies of SQLite in one process destroy one another's file locks, and with them
 * the database. (The library starts that process for you.)
 *
 * @example
 * await using snapshot = await sqlite('app.db').openSnapshot()
 * for await (const { pages, values, hashes } of snapshot.pages()) …
 */
export function sqlite(path: string, options: SqliteOptions = {}): SqliteSource {
  const location = resolve(path)
  return {
    kind: 'sqlite',
    location,
    defaultName: parse(location).name,
    openSnapshot: (request = {}) =>
      openSqliteSnapshot(location, { ...request, busyTimeoutMs: request.busyTimeoutMs ?? options.busyTimeoutMs }),
    enableWal: () => enableWal(location, { busyTimeoutMs: options.busyTimeoutMs }),
    openFollower: (request = {}) =>
      openSqliteFollower(location, { ...request, busyTimeoutMs: request.busyTimeoutMs ?? options.busyTimeoutMs }),
  }
}
