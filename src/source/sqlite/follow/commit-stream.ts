import { setImmediate } from 'node:timers/promises'
import { formatState } from '../../../history/state-checksum.ts'
import { throwIfAborted } from '../../../util/abort.ts'
import type { CommitReceiver, FollowPosition } from '../../follower.ts'
import { frameHeaderBytes } from '../log/page-map.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import { changedPages, PageMemory } from './changed-pages.ts'
import type { LogCursor, LogPlace } from './log-cursor.ts'
import { LostContinuity } from './lost-continuity.ts'
import type { PageTable } from './page-table.ts'
import type { Transaction } from './transaction.ts'

/** Other work of the process gets its turn after so long. */
const turnMs = 2

export interface StreamStart {
  /** Identity of the database file. */
  readonly file: string
  readonly database: number
  readonly cursor: LogCursor
  readonly table: PageTable
  /** Up to this frame of the present log, the database file may hold more than was taken; see changed-pages.ts. */
  readonly fileMayBeAheadUntil: number
  /** The cursor stands in a log that was reset since. */
  readonly former?: FormerLog | undefined
  readonly clock: () => number
}

/** What is left to be taken of a log that was reset. Its frames stay until those of the next log are written over them. */
export interface FormerLog {
  /** The last commit of it. */
  readonly lastFrame: number
  /** The salts of the log that follows, and how far into that one the database file may be ahead. */
  readonly next: Buffer
  readonly fileMayBeAheadUntil: number
}

/** Taken by a drain. */
export interface Taken {
  commits: number
  bytes: number
}

/** Turns the log's transactions into commits. Knows what was taken; knows nothing of locks. */
export class CommitStream {
  readonly #start: StreamStart
  readonly #cursor: LogCursor
  readonly #table: PageTable
  readonly #memory = new PageMemory()
  #fileMayBeAheadUntil: number
  #former: FormerLog | undefined
  /** The end of the last commit taken: still in the former log when that one was reset and nothing was committed since. */
  #place: LogPlace

  constructor(start: StreamStart) {
    this.#start = start
    this.#cursor = start.cursor
    this.#table = start.table
    this.#fileMayBeAheadUntil = start.fileMayBeAheadUntil
    this.#former = start.former
    this.#place = start.cursor.place
  }

  /** Where the next transaction is looked for. */
  get place(): LogPlace {
    return this.#cursor.place
  }

  get table(): PageTable {
    return this.#table
  }

  get position(): FollowPosition {
    const { salts, frame, checksum } = this.#place
    return {
      file: this.#start.file,
      pageSize: this.#cursor.pageSize,
      pageCount: this.#table.pageCount,
      salts: salts.toString('hex'),
      state: formatState(this.#table.state),
      frame,
      checksum,
    }
  }

  isAt(horizon: LogHorizon): boolean {
    return horizon.lastFrame === this.place.frame && horizon.salts.equals(this.place.salts)
  }

  restart(salts: Buffer): void {
    this.#cursor.restart(salts)
    this.#table.forgetFrames()
    this.#fileMayBeAheadUntil = 0
  }

  /** The log that the cursor stands in was reset, with commits in it that have not been taken. */
  leave(former: FormerLog): void {
    this.#former = former
  }

  /**
   * Takes what is left of a log that was reset, and goes on to the next; if the cursor stands in one.
   * @throws LostContinuity if it has been written over, ABORTED, what the receiver throws
   */
  async takeFormer(receiver: CommitReceiver, taken: Taken, signal?: AbortSignal): Promise<void> {
    if (this.#former === undefined) return
    const { lastFrame, next, fileMayBeAheadUntil } = this.#former
    // Former versions may have been written over; the file, which the whole log was copied into, has them or later ones.
    this.#table.forgetFrames()
    this.#fileMayBeAheadUntil = lastFrame
    await this.takeUpTo(lastFrame, receiver, taken, signal)
    this.restart(next)
    this.#fileMayBeAheadUntil = fileMayBeAheadUntil
    this.#former = undefined
  }

  /** Takes every transaction up to the frame, which must end one. @throws LostContinuity, ABORTED, what the receiver throws */
  async takeUpTo(lastFrame: number, receiver: CommitReceiver, taken: Taken, signal?: AbortSignal): Promise<void> {
    let turnEnds = performance.now() + turnMs
    try {
      while (this.place.frame < lastFrame) {
        throwIfAborted(signal)
        const transaction = this.#cursor.next(lastFrame)
        await this.#take(transaction, receiver, taken, signal)
        if (performance.now() < turnEnds) continue
        await setImmediate()
        turnEnds = performance.now() + turnMs
      }
    } finally {
      this.#cursor.release()
      this.#memory.release()
    }
  }

  async #take(
    transaction: Transaction,
    receiver: CommitReceiver,
    taken: Taken,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const missing = this.#table.missingPages(transaction)
    if (missing > 0) throw new LostContinuity('page-missing', `${missing} pages of a larger database are in no frame.`)
    const { pages, firstFrame, lastFrame, pageCount } = transaction
    const hashes = new BigUint64Array(pages.length)
    let given = 0
    const fileMayBeAhead = lastFrame <= this.#fileMayBeAheadUntil
    const { database } = this.#start
    const from = { cursor: this.#cursor, memory: this.#memory, table: this.#table, database, fileMayBeAhead }
    const bytes = (lastFrame - firstFrame + 1) * (frameHeaderBytes + this.#cursor.pageSize)
    for (const batch of changedPages(transaction, from)) {
      if (this.#changesNothing(transaction, batch.hashes[0])) {
        this.#advance(transaction, batch.hashes)
        taken.bytes += bytes
        return
      }
      hashes.set(batch.hashes, given)
      given += batch.pages.length
      throwIfAborted(signal)
      await receiver.pages(batch)
    }
    // From here on the commit counts as taken: `position` and the receiver agree even if the receiver fails.
    this.#advance(transaction, hashes)
    taken.bytes += bytes
    taken.commits++
    await receiver.commit({ pageCount, state: this.#table.state, seenAt: this.#start.clock() })
  }

  /** Where disks have large sectors, SQLite repeats the commit frame up to the end of the sector (wal.c, `iSyncPoint`). */
  #changesNothing({ firstFrame, lastFrame, pages, pageCount }: Transaction, hash: bigint | undefined): boolean {
    const page = pages[0]
    const isOne = firstFrame === lastFrame && pages.length === 1 && page !== undefined
    return isOne && pageCount === this.#table.pageCount && hash === this.#table.hash(page)
  }

  #advance(transaction: Transaction, hashes: BigUint64Array): void {
    this.#table.apply(transaction, hashes)
    this.#cursor.advance(transaction)
    this.#place = this.#cursor.place
  }
}
