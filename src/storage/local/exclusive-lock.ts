import { HoldfastError } from '../../errors.ts'
import { sleep, throwIfAborted } from '../abort.ts'
import { createEmpty, lockFailure } from './lock-file.ts'

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
  using held = await takeLock(path, options)
  if (held === undefined) throw stillHeld(path)
  return await work()
}

/**
 * Takes a lock that keeps this process and all others that ask for it out until it is disposed of; undefined if others hold it
 * longer than `waitMs`. It is SQLite's exclusive lock on an empty database: the kernel releases it with the process, however that
 * ends, so nothing stale stays behind.
 * @throws STORAGE_DENIED, DISK_FULL, ABORTED
 */
async function takeLock(path: string, options: LockOptions = {}): Promise<Disposable | undefined> {
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

function tryLock(database: { exec(sql: string): void }, path: string): boolean {
  try {
    // With a journal on the disk, even an empty transaction writes a little, which a full disk refuses.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return true
  } catch (thrown) {
    const failure = lockFailure(thrown, path)
    if (failure === 'busy') return false
    throw failure
  }
}

function stillHeld(path: string): HoldfastError {
  return new HoldfastError('STORAGE_TRANSIENT', `The lock ${path} is held by another process for too long.`, {
    object: path,
    hint: 'See which process holds it open (fuser, lsof).',
  })
}
