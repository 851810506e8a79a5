/**
 * The contract of following a live database commit by commit. A follower runs in an engine process; its methods are called
 * one at a time. It writes nothing into the database but, through the engine's own checkpoint, the log's frames into the file.
 */
import type { StateChecksum } from '../history/state-checksum.ts'
import type { PageBatch } from './page-batch.ts'

export interface FollowingSource {
  /**
   * Begins to follow. With a position, goes on from there if the log still has all that came after it; otherwise from the
   * present state, which {@link DatabaseFollower.start} then holds until it is released.
   * @throws as openSnapshot; DATABASE_UNSUPPORTED for a database that is not in WAL mode
   */
  openFollower(options: OpenFollowerOptions): Promise<DatabaseFollower>
}

export interface OpenFollowerOptions {
  /** Where a former follower stopped, and the page hashes of that very state, entry `page - 1`. */
  readonly resume?: { readonly position: FollowPosition; readonly hashes: BigUint64Array } | undefined
  readonly busyTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Where in the log a follower stands: at the end of a commit. Plain data, to be kept across restarts. */
export interface FollowPosition {
  /** Device and inode of the database file. */
  readonly file: string
  readonly pageSize: number
  readonly pageCount: number
  /** Sixteen hexadecimal digits each: the log's salts, and the state checksum. */
  readonly salts: string
  readonly state: string
  /** Frames of the log up to here, and the checksum that runs through them. */
  readonly frame: number
  readonly checksum: readonly [number, number]
}

/** Why commits may have been missed: nothing is known of the time between two states. */
export type LossReason =
  | 'not-running'
  | 'log-reset'
  | 'file-replaced'
  | 'page-size-changed'
  | 'journal-mode-changed'
  | 'frames-vanished'
  | 'page-missing'
  | 'audit-failed'

/** How a follower began. */
export type FollowStart =
  /** From the position given: no commit is missing. */
  | { readonly kind: 'resumed' }
  /**
   * From the present state; `pages` gives all of it (as SourceSnapshot.pages) while it is held. Once the caller has read what
   * it wants and called `begin` with the hashes of all pages, following goes on from exactly this state.
   */
  | {
      readonly kind: 'anew'
      readonly reason: LossReason | undefined
      readonly pageSize: number
      readonly pageCount: number
      readonly capturedAt: number
      pages(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PageBatch>
      begin(hashes: BigUint64Array): Promise<void>
    }

/**
 * Pages that a commit changed: each once, as it was after the commit. `former` holds the bytes before it at the same
 * offsets; where `hasFormer[i]` is 0 the page is new, or its former content is not to be had.
 */
export interface ChangedPages extends PageBatch {
  readonly former: Uint8Array
  readonly hasFormer: Uint8Array
}

/** Receives commits in order. Awaited: so a slow receiver slows the drain, not the application. */
export interface CommitReceiver {
  /** Pages of the present commit, ascending over all calls for one commit; several calls for a large one. */
  pages(batch: ChangedPages): Promise<void> | void
  /** The present commit is complete. */
  commit(commit: {
    readonly pageCount: number
    readonly state: StateChecksum
    readonly seenAt: number
  }): Promise<void> | void
}

export interface DrainResult {
  readonly commits: number
  /** Log bytes read. */
  readonly bytes: number
  /** Continuity is lost: nothing after {@link DatabaseFollower.position} can be taken. Close, and open a follower anew. */
  readonly lost: LossReason | undefined
}

export interface HandOffResult {
  /** Every frame was copied into the database, so that the next writer resets the log. */
  readonly complete: boolean
  /** How long the write lock was held, in milliseconds; 0 if it was not needed or not got. */
  readonly lockHeldMs: number
  readonly framesBefore: number
  readonly framesLeft: number
}

export interface DatabaseFollower extends AsyncDisposable {
  readonly start: FollowStart
  readonly pageSize: number
  /** The end of the last commit that was taken. */
  readonly position: FollowPosition
  /** Bytes of the log in use, and how many of its frames were taken but not yet copied into the database. */
  readonly logBytes: number

  /** Takes every commit up to the present horizon. `pages` and `commit` of the receiver are called in turn. */
  drain(receiver: CommitReceiver, options?: { readonly signal?: AbortSignal | undefined }): Promise<DrainResult>

  /**
   * Lets the log be reset: checkpoints what was drained, taking the write lock only for the last little, for a bounded time.
   * Drains meanwhile, into the same receiver.
   */
  handOff(
    receiver: CommitReceiver,
    options?: { readonly lockWaitMs?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<HandOffResult & DrainResult>

  /** Hashes the pages as SQLite sees them now, after draining; false means that something was missed. */
  audit(
    receiver: CommitReceiver,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<DrainResult & { readonly equal: boolean }>

  /** Resolves when the log may have changed, or after `timeoutMs`. Costs nothing while the database is idle. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>
}
