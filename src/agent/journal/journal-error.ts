import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import { resultCode, sqliteCode } from '../../source/sqlite/sqlite-error.ts'
import { systemCode } from '../../storage/local/file-error.ts'

/** SQLite's shared memory and log begin with less than this. */
const leastFreeBytes = 64 * 1024

/** What keeps the journal from being used, in one sentence, and what to do. */
export function journalError(thrown: unknown, path: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const details = { object: path, cause: thrown }
  const code = sqliteCode(thrown)
  if (code === undefined) {
    const error = toHoldfastError(thrown, path)
    // A file where the folder should be, for example.
    return error.code === 'INTERNAL' && systemCode(thrown) !== undefined ? unusable(thrown, path) : error
  }
  if (code === resultCode.busy || code === resultCode.locked) {
    return new HoldfastError('DATABASE_BUSY', `The journal ${path} is locked by another process.`, {
      ...details,
      hint: 'See which process holds it open (fuser, lsof).',
    })
  }
  // Where there is no room for its shared memory, SQLite speaks of an I/O error.
  if (code === resultCode.full || (code === resultCode.ioError && isFull(path))) {
    return new HoldfastError('DISK_FULL', `No space left for the journal ${path}.`, {
      ...details,
      hint: 'Free some space there.',
    })
  }
  return unusable(thrown, path)
}

function unusable(cause: unknown, path: string): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new HoldfastError('ACCESS_DENIED', `The journal ${path} cannot be used: ${reason}.`, {
    object: path,
    cause,
    hint: 'Check the owner and mode of the file and of its folder, and that its file system is mounted for writing.',
  })
}

function isFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize < leastFreeBytes
  } catch {
    return false
  }
}
