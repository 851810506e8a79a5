/**
 * SQLite's own exclusive lock on an existing database, with nothing left in its `-wal` or in a hot journal. While it is held
 * no other process can read or write the database.
 */
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { HoldfastError, toHoldfastError } from '../../../errors.ts'
import { isSqliteError, meansUnreadable, resultCode, sqliteCode } from '../sqlite-error.ts'
import { findHolders, liveTarget } from './live-target.ts'
import { sidecarPaths, sizeOfSidecars } from './sidecars.ts'

export interface ExclusiveLock extends Disposable {
  /** A WAL-mode lock deletes `<path>-wal` by name when it is let go. */
  readonly journalMode: 'wal' | 'rollback'
  /** Under this name SQLite has the database open. */
  readonly path: string
}

export type LockAttempt =
  | { readonly readable: true; readonly lock: ExclusiveLock }
  /** SQLite cannot make sense of the file: damaged, encrypted, or of another kind. It has no lock to hold. */
  | { readonly readable: false; readonly cause: unknown }

/**
 * Takes the lock, after rolling back a hot journal and copying the log into the database: its content stays what it was.
 * @throws TARGET_LIVE if another process uses the file; ACCESS_DENIED, DISK_FULL
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
    return { readable: true, lock: heldBy(connection, path, journalMode) }
  } catch (error) {
    if (connection?.isOpen === true) connection.close()
    // Anything else may pass: a file that is only locked, or full, must not be taken for one without a lock.
    if (meansUnreadable(error)) return { readable: false, cause: error }
    throw refusal(path, error)
  }
}

/**
 * Exchanges a WAL-mode lock for one that holds the same file by another name: a hard link. Let go, it deletes the `-wal` of that
 * name, and not one that belongs to what stands under `lock.path` by then.
 * @throws TARGET_LIVE if somebody came in between
 */
export function lockByLink(lock: ExclusiveLock, link: string, busyTimeoutMs: number): ExclusiveLock {
  const { path } = lock
  lock[Symbol.dispose]()
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(link, { timeout: busyTimeoutMs })
    takeWholeWal(connection, link)
    // Now nobody else can write, so what is there was written in between, and has not been folded in.
    if (sizeOfSidecars(path) > 0) throw liveTarget(path, findHolders([path]))
    return heldBy(connection, link, 'wal')
  } catch (error) {
    if (connection?.isOpen === true) connection.close()
    throw refusal(path, error)
  }
}

function refusal(path: string, error: unknown): HoldfastError {
  if (!isSqliteError(error)) return toHoldfastError(error, path)
  const details = { object: path, cause: error }
  switch (sqliteCode(error)) {
    case resultCode.busy:
    case resultCode.locked:
    case resultCode.protocol:
      return liveTarget(path, findHolders([path, ...sidecarPaths(path)]), error)
    case resultCode.permission:
    case resultCode.readonly:
    case resultCode.cantOpen:
      return new HoldfastError('ACCESS_DENIED', `The target ${path} cannot be locked: ${error.message}.`, {
        ...details,
        hint: 'Check the owner and mode of the file and of its folder, or move the file away.',
      })
    case resultCode.full:
      return new HoldfastError('DISK_FULL', `No space is left to fold the log of ${path} into it.`, {
        ...details,
        hint: 'Free some space, and run the command again.',
      })
    default:
      return new HoldfastError(
        'INTERNAL',
        `The target ${path} cannot be locked: ${error.message} (${error.errcode}).`,
        details,
      )
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
    return sqliteCode(error) === resultCode.notADatabase ? error : undefined
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

function heldBy(connection: DatabaseSync, path: string, journalMode: ExclusiveLock['journalMode']): ExclusiveLock {
  return {
    path,
    journalMode,
    [Symbol.dispose]() {
      if (!connection.isOpen) return
      if (connection.isTransaction) connection.exec('ROLLBACK')
      connection.close()
    },
  }
}
