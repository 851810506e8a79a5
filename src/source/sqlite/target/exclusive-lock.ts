/**
 * SQLite's own exclusive lock on an existing database, with nothing left in its `-wal` or in a hot journal. While it is held
 * no other process can read or write the database.
 */
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../../errors.ts'
import { findHolders, liveTarget } from './live-target.ts'
import { sidecarPaths } from './sidecars.ts'

export interface ExclusiveLock extends Disposable {
  /** A WAL-mode lock deletes `<path>-wal` by name when it is let go. */
  readonly journalMode: 'wal' | 'rollback'
}

export type LockAttempt =
  | { readonly readable: true; readonly lock: ExclusiveLock }
  /** SQLite cannot make sense of the file: damaged, encrypted, or of another kind. It has no lock to hold. */
  | { readonly readable: false; readonly cause: unknown }

/**
 * Takes the lock, after rolling back a hot journal and copying the log into the database: its content stays what it was.
 * @throws TARGET_LIVE if another process uses the file
 */
export function lockExclusively(path: string, busyTimeoutMs: number): LockAttempt {
  assertNotHeld(path)
  const foreign = notADatabase(path)
  if (foreign !== undefined) return { readable: false, cause: foreign }
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(path, { timeout: busyTimeoutMs })
    connection.exec('BEGIN EXCLUSIVE')
    const journalMode = connection.prepare('PRAGMA journal_mode').get()?.['journal_mode'] === 'wal' ? 'wal' : 'rollback'
    if (journalMode === 'wal') {
      // In WAL mode readers may pass such a lock. The last connection to close folds the log into the database.
      connection.close()
      connection = new DatabaseSync(path, { timeout: busyTimeoutMs })
      takeWholeWal(connection, path)
    }
    assertNotHeld(path)
    return { readable: true, lock: heldBy(connection, journalMode) }
  } catch (error) {
    if (connection?.isOpen === true) connection.close()
    if (error instanceof HoldfastError) throw error
    if (isLocked(error)) throw liveTarget(path, findHolders([path, ...sidecarPaths(path)]), error)
    return { readable: false, cause: error }
  }
}

/** @throws TARGET_LIVE if another process has the database or one of its sidecars open */
export function assertNotHeld(path: string): void {
  const holders = findHolders([path, ...sidecarPaths(path)])
  if (holders.length > 0) throw liveTarget(path, holders)
}

/**
 * SQLite's complaint if the file is of another kind. Asked without touching what lies beside it: an ordinary connection would
 * take an encrypted database's log for an empty one, and delete it.
 */
function notADatabase(path: string): unknown {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(url, { readOnly: true })
    connection.exec('PRAGMA schema_version')
    return undefined
  } catch (error) {
    return primaryCode(error) === 26 /* SQLITE_NOTADB */ ? error : undefined
  } finally {
    connection?.close()
  }
}

function takeWholeWal(connection: DatabaseSync, path: string): void {
  connection.exec('PRAGMA locking_mode = EXCLUSIVE')
  connection.exec('BEGIN EXCLUSIVE')
  connection.exec('ROLLBACK')
  const wal = `${path}-wal`
  connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  const left = statSync(wal, { throwIfNoEntry: false })?.size ?? 0
  if (left > 0) throw new HoldfastError('TARGET_LIVE', `The log ${wal} could not be emptied.`, { object: path })
  if (statSync(wal, { throwIfNoEntry: false }) === undefined) return
  // Frames that came back after power loss would be taken for the new database's.
  const descriptor = openSync(wal, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function heldBy(connection: DatabaseSync, journalMode: ExclusiveLock['journalMode']): ExclusiveLock {
  return {
    journalMode,
    [Symbol.dispose]() {
      if (!connection.isOpen) return
      if (connection.isTransaction) connection.exec('ROLLBACK')
      connection.close()
    },
  }
}

function isLocked(error: unknown): boolean {
  const code = primaryCode(error)
  return code === 5 /* SQLITE_BUSY */ || code === 6 /* SQLITE_LOCKED */
}

function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined
}
