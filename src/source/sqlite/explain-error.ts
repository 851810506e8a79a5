import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import type { FileProbe } from './file-probe.ts'
import { isSqliteError, readonlyRollback, resultCode, sqliteCode } from './sqlite-error.ts'

const askOwner = 'Run Holdfast as the user that the application runs as, or give it write access to that folder.'

/** Says in the user's terms why a database cannot be opened or held. */
export function explainError(thrown: unknown, probe: FileProbe): HoldfastError {
  if (!isSqliteError(thrown)) return toHoldfastError(thrown, probe.location)
  const details = { object: probe.location, cause: thrown }
  switch (sqliteCode(thrown)) {
    case resultCode.busy:
    case resultCode.protocol:
      return explainBusy(probe, details)
    case resultCode.notADatabase:
      return explainUnknownFile(probe, details)
    case resultCode.corrupt:
      return new HoldfastError('DATABASE_DAMAGED', `SQLite cannot read ${probe.location}: ${thrown.message}.`, details)
    case resultCode.cantOpen:
    case resultCode.readonly:
      return explainRefusal(probe, thrown.errcode, details)
    case resultCode.error:
      // The schema format number in the header: newer than this SQLite, or damaged.
      return new HoldfastError(
        'DATABASE_UNSUPPORTED',
        `SQLite cannot read ${probe.location}: ${thrown.message}.`,
        details,
      )
    default:
      return new HoldfastError('INTERNAL', `SQLite: ${thrown.message} (${thrown.errcode}).`, details)
  }
}

interface Details {
  readonly object: string
  readonly cause: unknown
}

function explainBusy(probe: FileProbe, details: Details): HoldfastError {
  // With locking_mode=EXCLUSIVE, SQLite keeps the index of the log in memory: a log without a -shm file beside it.
  if (probe.header?.journal === 'wal' && !existsSync(`${probe.path}-shm`)) {
    return new HoldfastError(
      'DATABASE_UNSUPPORTED',
      `${probe.location} is held by a process in locking_mode=EXCLUSIVE, which lets nobody else read it.`,
      { ...details, hint: 'Remove PRAGMA locking_mode=EXCLUSIVE from the application, or stop it for the backup.' },
    )
  }
  return new HoldfastError('DATABASE_BUSY', `Another process keeps ${probe.location} locked.`, {
    ...details,
    hint: 'Try again when its transaction has ended, or wait longer (--busy-timeout 30s). A process in locking_mode=EXCLUSIVE never lets go.',
  })
}

/** SQLite found no header of its own. */
function explainUnknownFile(probe: FileProbe, details: Details): HoldfastError {
  if (probe.header?.journal === 'unknown') {
    return new HoldfastError(
      'DATABASE_UNSUPPORTED',
      `${probe.location} is in a format (wal2, or newer) that this SQLite does not know.`,
      details,
    )
  }
  if (probe.looksEncrypted || (probe.header !== undefined && probe.header.reservedBytes > 0)) {
    return new HoldfastError('DATABASE_ENCRYPTED', `${probe.location} seems to be encrypted.`, {
      ...details,
      hint: 'Encrypted databases cannot be read yet: their pages mean nothing without the key.',
    })
  }
  return new HoldfastError('NOT_A_DATABASE', `${probe.location} is not a SQLite database.`, {
    ...details,
    hint: notADatabaseHint(probe.location),
  })
}

function notADatabaseHint(location: string): string {
  const database = /^(.+)-(?:wal|shm|journal)$/.exec(location)?.[1]
  if (database !== undefined) return `SQLite keeps this file beside a database: back up ${database}, which includes it.`
  return 'Check the path: the database is the file that the application opens, often named .db, .sqlite or .sqlite3.'
}

function explainRefusal(probe: FileProbe, errcode: number, details: Details): HoldfastError {
  if (errcode === readonlyRollback || existsSync(`${probe.path}-journal`)) {
    return new HoldfastError(
      'ACCESS_DENIED',
      `A writer of ${probe.location} was cut off, and its journal must be rolled back first; that needs write access.`,
      { ...details, hint: 'Open the database once as a user that may write to it, then run this again.' },
    )
  }
  if (probe.header?.journal === 'wal') {
    const log = unreadableLog(probe)
    if (log !== undefined) return log
    return new HoldfastError(
      'ACCESS_DENIED',
      `To read ${probe.location} in WAL mode, SQLite needs write access to ${probe.path}-shm.`,
      { ...details, hint: askOwner },
    )
  }
  return new HoldfastError('ACCESS_DENIED', `SQLite may not open ${probe.location}.`, { ...details, hint: askOwner })
}

function unreadableLog({ path }: FileProbe): HoldfastError | undefined {
  const log = `${path}-wal`
  try {
    if (existsSync(log)) accessSync(log, constants.R_OK)
    return undefined
  } catch (cause) {
    return toHoldfastError(cause, log)
  }
}

/**
 * A `-shm` that cannot be written to makes SQLite keep a private index of the log, in memory; then nothing on disk tells
 * at which commit it stands, so such a state could not be copied exactly.
 *
 * Where `-wal` or `-shm` are missing, SQLite makes them, with our owner and the mode of the database. Who may not write to that
 * could not remove them either, and they would keep the application from writing.
 *
 * @throws ACCESS_DENIED
 */
export function requireSharedMemory(probe: FileProbe): void {
  const [log, file] = [`${probe.path}-wal`, `${probe.path}-shm`]
  const details = { object: probe.location }
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.R_OK | constants.W_OK)
  } catch (cause) {
    throw explainRefusal(probe, resultCode.readonly, { ...details, cause })
  }
  if (existsSync(log) && existsSync(file)) return
  try {
    accessSync(probe.path, constants.W_OK)
  } catch (cause) {
    throw new HoldfastError(
      'ACCESS_DENIED',
      `To read ${probe.location} in WAL mode while it is not in use, SQLite needs write access to it.`,
      {
        ...details,
        cause,
        hint: 'Run Holdfast as the user that the application runs as, or give it write access to the file.',
      },
    )
  }
}
