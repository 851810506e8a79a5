import { fstatSync, readSync, realpathSync, type Stats, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import { acquireDescriptors, type DatabaseDescriptors } from './descriptors.ts'
import { type FileHeader, isEmptyFile, looksEncrypted, parseFileHeader } from './file-header.ts'

/** What the file itself tells, before SQLite has a look. A hint only: no lock is held yet. */
export interface FileProbe {
  /** As the user named it. */
  readonly location: string
  /** Symbolic links resolved: `-wal` and `-shm` lie beside this file. */
  readonly path: string
  readonly header: FileHeader | undefined
  readonly looksEncrypted: boolean
}

/** @throws DATABASE_NOT_FOUND, NOT_A_DATABASE, ACCESS_DENIED */
export function openDatabaseFile(location: string): {
  readonly path: string
  readonly descriptors: DatabaseDescriptors
} {
  try {
    const path = realpathSync(location)
    if (statSync(path).isDirectory()) {
      throw new HoldfastError('NOT_A_DATABASE', `${location} is a folder.`, {
        object: location,
        hint: 'Name the database file in it.',
      })
    }
    return { path, descriptors: acquireDescriptors(path) }
  } catch (thrown) {
    throw isMissing(thrown) ? notFound(location, thrown) : toHoldfastError(thrown, location)
  }
}

/** Before anything is said or begun: it is looked for, not opened. @throws DATABASE_NOT_FOUND */
export async function requireDatabaseFile(location: string, hint?: string): Promise<void> {
  try {
    await stat(location)
  } catch (thrown) {
    // Whatever else is wrong is for those who open it to tell.
    if (isMissing(thrown)) throw notFound(location, thrown, hint)
  }
}

/** @throws DATABASE_UNSUPPORTED if SQLite must not even be shown this file */
export function probeFile(location: string, path: string, descriptors: DatabaseDescriptors): FileProbe {
  const start = Buffer.alloc(4096)
  const got = readSync(descriptors.database, start, 0, start.length, 0)
  const { size } = fstatSync(descriptors.database)
  const bytes = start.subarray(0, got)
  const header = parseFileHeader(bytes)
  if (isEmptyFile(size) && (statIfPresent(`${path}-wal`)?.size ?? 0) > 0) {
    // SQLite would take the log for a leftover and delete it on the first read.
    throw new HoldfastError('DATABASE_UNSUPPORTED', `${location} is empty, but its log ${path}-wal is not.`, {
      object: location,
      hint: 'Opening it would delete that log. Keep a copy of it, find out what emptied the database, then remove one of them.',
    })
  }
  return { location, path, header, looksEncrypted: header === undefined && looksEncrypted(bytes, size) }
}

export function statIfPresent(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
}

function notFound(
  location: string,
  cause: unknown,
  hint = 'Check the path; a database is not made by backing it up.',
): HoldfastError {
  return new HoldfastError('DATABASE_NOT_FOUND', `There is no file ${location}.`, { object: location, cause, hint })
}
