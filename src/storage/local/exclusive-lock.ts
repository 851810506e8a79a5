import { HoldfastError } from '../../errors.ts'
import { sleep, throwIfAborted } from '../abort.ts'
import { createEmpty, lockFailure } from './lock-file.ts'
import { type LineOptions, LockLine } from './lock-line.ts'

/** `@` is not in the alphabet of keys: no object can have this name. */
export const lockName = '.lock@holdfast'

const defaultWaitMs = 10_000

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait while one holder has it; default 10,000 ms. */
  readonly waitMs?: number | undefined
}

/**
 * Runs `work` while this process and all others that ask for the same lock are kept out.
 * @throws STORAGE_TRANSIENT if somebody holds it longer than `waitMs`; STORAGE_DENIED, DISK_FULL, ABORTED
 */
export async function withExclusiveLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const { signal, waitMs = defaultWaitMs } = options
  const line = LockLine.of(path)
  const leftMs = await line.enter({ signal, waitMs })
  if (leftMs === undefined) throw stillHeld(path)
  try {
    if (!line.hasLock) {
      const lock = await takeLock(path, { signal, waitMs: leftMs })
      if (lock === undefined) throw stillHeld(path)
      line.took(lock)
    }
    return await work()
  } finally {
    line.leave()
  }
}

/**
 * Takes a lock that keeps this process and all others that ask for it out until it is disposed of; undefined if others hold it
 * longer than `waitMs`. It is SQLite's exclusive lock on an empty database: the kernel releases it with the process, however that
 * ends, so nothing stale stays behind.
 * @throws STORAGE_DENIED, DISK_FULL, ABORTED
 */
async function takeLock(path: string, { signal, waitMs }: LineOptions): Promise<Disposable | undefined> {
  const { DatabaseSync } = await import('node:sqlite')
  const deadline = performance.now() + waitMs
  createEmpty(path)
  const database = new DatabaseSync(path, { timeout: 0 })
  let isHeld = false
  try {
    for (let pause = 1; !isHeld; pause = Math.min(pause * 2, 20)) {
      isHeld = tryLock(database, path)
      if (isHeld) break
      throwIfAborted(signal)
      if (performance.now() >= deadline) return undefined
      await sleep(1 + Math.random() * pause, signal)
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
