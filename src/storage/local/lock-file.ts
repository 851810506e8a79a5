import { closeSync, openSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { fileError, systemCode } from './file-error.ts'

/**
 * Creates the file with our own mode before SQLite does with its own. Only ever creates: opening and closing an existing
 * one would release the locks that other connections of this process hold on it.
 * @throws STORAGE_DENIED, DISK_FULL
 */
export function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw fileError(thrown, path)
  }
}

/** What it means that SQLite did not give the lock. */
export function lockFailure(thrown: unknown, path: string): 'busy' | HoldfastError {
  const code = sqliteCode(thrown)
  if (code === 5) return 'busy'
  if (code === 13) {
    const hint = 'Free some space, then run it again.'
    return new HoldfastError('DISK_FULL', `No space left for ${path}.`, { object: path, cause: thrown, hint })
  }
  return new HoldfastError('STORAGE_DENIED', `The lock ${path} cannot be taken.`, {
    object: path,
    cause: thrown,
    hint: 'Check that the file is writable and empty, and that its file system supports locks.',
  })
}

/** SQLite's primary result code; 5 is SQLITE_BUSY, 13 SQLITE_FULL. */
function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined
  return thrown.errcode & 0xff
}
