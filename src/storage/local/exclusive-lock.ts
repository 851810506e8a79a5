import { closeSync, openSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { sleep, throwIfAborted } from '../abort.ts'
import { fileError, systemCode } from './file-error.ts'

/** `@` is not in the alphabet of keys: no object can have this name. */
export const lockName = '.lock@holdfast'

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait for other holders; default 10,000 ms. */
  readonly waitMs?: number | undefined
}

/**
 * Runs `work` while this process and all others that ask for the same lock are kept out.
 * @throws STORAGE_TRANSIENT if others hold it longer than `waitMs`; STORAGE_DENIED, DISK_FULL, ABORTED
 */
export async function withExclusiveLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  using held = await holdExclusiveLock(path, options)
  if (held === undefined) throw stillHeld(path)
  return await work()
}

/**
 * Takes a lock that keeps this process and all others that ask for it out until it is disposed of; undefined if others hold it
 * longer than `waitMs`. It is SQLite's exclusive lock on an empty database: the kernel releases it with the process, however that
 * ends, so nothing stale stays behind.
 * @throws STORAGE_DENIED, DISK_FULL, ABORTED
 */
export async function holdExclusiveLock(path: string, options: LockOptions = {}): Promise<Disposable | undefined> {
  const { DatabaseSync } = await import('node:sqlite')
  const deadline = Date.now() + (options.waitMs ?? 10_000)
  createEmpty(path)
  const database = new DatabaseSync(path, { timeout: 0 })
  let isHeld = false
  try {
    for (let pause = 1; !isHeld; pause = Math.min(pause * 2, 20)) {
      isHeld = tryLock(database, path)
      if (isHeld) break
      throwIfAborted(options.signal)
      if (Date.now() >= deadline) return undefined
      await sleep(1 + Math.random() * pause, options.signal)
    }
  } finally {
    if (!isHeld) database.close()
  }
  // Closing rolls back, and so releases.
  return { [Symbol.dispose]: () => database.close() }
}

/**
 * Creates the file with our own mode before SQLite does with its own. Only ever creates: opening and closing an existing
 * one would release the locks that other connections of this process hold on it.
 */
function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw fileError(thrown, path)
  }
}

function tryLock(database: { exec(sql: string): void }, path: string): boolean {
  try {
    // With a journal on the disk, even an empty transaction writes a little, which a full disk refuses.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return true
  } catch (thrown) {
    const code = sqliteCode(thrown)
    if (code === 5) return false
    if (code === 13) {
      const hint = 'Free some space, then run it again.'
      throw new HoldfastError('DISK_FULL', `No space left for ${path}.`, { object: path, cause: thrown, hint })
    }
    throw new HoldfastError('STORAGE_DENIED', `The lock ${path} cannot be taken.`, {
      object: path,
      cause: thrown,
      hint: 'Check that the file is writable and empty, and that its file system supports locks.',
    })
  }
}

/** SQLite's primary result code; 5 is SQLITE_BUSY, 13 SQLITE_FULL. */
function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined
  return thrown.errcode & 0xff
}

function stillHeld(path: string): HoldfastError {
  return new HoldfastError('STORAGE_TRANSIENT', `The lock ${path} is held by another process for too long.`, {
    object: path,
    hint: 'See which process holds it open (fuser, lsof).',
  })
}
