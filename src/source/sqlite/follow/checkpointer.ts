import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isBusy } from './reader-pair.ts'

/** Between attempts at the write lock; a busy writer frees it for moments only. */
const attemptMs = 0.02

/** What a checkpoint copied: everything that the log held, some of it, or nothing because another process was at it. */
export type Copied = 'all' | 'some' | 'busy'

/**
 * The only writable connections: one copies frames into the database by PASSIVE checkpoints, the other takes the write lock
 * (a connection cannot do both, because SQLite does not checkpoint within a transaction). Nothing else is ever written, and
 * `wal_autocheckpoint` and `synchronous` are settings of the connection, not of the database.
 *
 * They are closed after each hand-off, while a reader of ours is still connected: so they are never the last to close, and
 * SQLite does not delete the log.
 */
export class Checkpointer implements Disposable {
  readonly #copier: DatabaseSync
  readonly #locker: DatabaseSync
  readonly #passive: StatementSync
  readonly #bell = new Int32Array(new SharedArrayBuffer(4))
  #lockedAt: number | undefined
  #longestMs = 0

  constructor(path: string) {
    const location = pathToFileURL(path)
    location.searchParams.set('mode', 'rw')
    this.#copier = new DatabaseSync(location, { timeout: 0 })
    try {
      // Less than NORMAL would let a checkpoint go on before the log is on disk.
      this.#copier.exec('PRAGMA query_only = 1; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL')
      this.#passive = this.#copier.prepare('PRAGMA wal_checkpoint(PASSIVE)')
      this.#locker = new DatabaseSync(location, { timeout: 0 })
    } catch (thrown) {
      this.#copier.close()
      throw thrown
    }
    this.#locker.exec('PRAGMA wal_autocheckpoint = 0')
  }

  /**
   * Copies what no reader's mark forbids. Where another process is at it already, tries again for so long, blocking this
   * thread: writers that commit fast checkpoint almost all the time.
   */
  copy(waitMs: number): Copied {
    const end = performance.now() + waitMs
    for (;;) {
      const row = this.#passive.get()
      if (row?.['busy'] === 0) return row['log'] === row['checkpointed'] ? 'all' : 'some'
      if (performance.now() >= end) return 'busy'
      Atomics.wait(this.#bell, 0, 0, attemptMs)
    }
  }

  /** Tries for so long to take the write lock, blocking this thread. SQLite's own busy handler sleeps too long to win. */
  lock(waitMs: number): boolean {
    const end = performance.now() + waitMs
    for (;;) {
      try {
        this.#locker.exec('BEGIN IMMEDIATE')
        this.#lockedAt = performance.now()
        return true
      } catch (thrown) {
        if (!isBusy(thrown)) throw thrown
      }
      if (performance.now() >= end) return false
      Atomics.wait(this.#bell, 0, 0, attemptMs)
    }
  }

  get isLocked(): boolean {
    return this.#lockedAt !== undefined
  }

  /** Lets writers go on, if the lock is held. */
  unlock(): void {
    if (this.#lockedAt === undefined) return
    this.#locker.exec('ROLLBACK')
    this.#longestMs = Math.max(this.#longestMs, performance.now() - this.#lockedAt)
    this.#lockedAt = undefined
  }

  /** For how many milliseconds the write lock was held, the longest time at one stretch. */
  get longestMs(): number {
    return this.#longestMs
  }

  [Symbol.dispose](): void {
    try {
      this.unlock()
    } finally {
      // Closing lets the lock go even if ROLLBACK failed.
      this.#locker.close()
      this.#copier.close()
    }
  }
}
