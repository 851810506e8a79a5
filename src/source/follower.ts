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
  openFollower(options?: OpenFollowerOptions): Promise<DatabaseFollower>
}

export interface OpenFollowerOptions {
  /** Where a former follower stopped, and the page hashes of that very state, entry `page - 1`. */
  readonly resume?: { readonly position: FollowPosition; readonly hashes: BigUint64Array } | undefined
  readonly busyTimeoutMs?: number | undefined
  /** By which commits are dated, in milliseconds since 1970; default: the machine's. */
  readonly now?: (() => number) | undefined
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
  | 'log-reset'
  | 'file-replaced'
  | 'page-size-changed'
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
      /** Commits are known to have been missed, also if the state should be the one that was left. */
      readonly missed: boolean
      readonly pageSize: number
      readonly pageCount: number
      readonly capturedAt: number
      pages(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<PageBatch>
      begin(hashes: BigUint64Array): Promise<void>
    }

/**
 * Pages that a commit changed: each once, as it was after the commit. `former` holds the bytes before it at the same
 * offsets, proved by their hash; where `hasFormer[i]` is 0 (and `former` zeros) the page is new, or its former content is
 * not to be had, because the application copied later versions into the file while no follower was there. `values` and
 * `former` are valid until the call of the receiver ends; the rest is the receiver's to keep.
 */
export interface ChangedPages extends PageBatch {
  readonly former: Uint8Array
  readonly hasFormer: Uint8Array
}

/**
 * Receives commits in order. Awaited: so a slow receiver slows the drain, not the application.
 *
 * Pages count only once `commit` is called: if a drain ends before that (cancelled, or continuity lost), what was given of
 * the open commit is void, and a later drain gives the whole of it again.
 */
export interface CommitReceiver {
  /** Pages of the present commit, ascending over all calls for one commit; several calls for a large one. */
  pages(batch: ChangedPages): Promise<void> | void
  /**
   * The present commit is complete, and {@link DatabaseFollower.position} is its end. It counts as taken even if this throws:
   * then go on from a position that was kept.
   */
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
  /** What kept it from completing: another process that reads an old state, or writers that left no moment for it. */
  readonly obstacle: 'reader' | 'writers' | undefined
  /** How long the write lock was held at a stretch, the longest time, in milliseconds; 0 if it was not got. */
  readonly lockHeldMs: number
  readonly framesBefore: number
  readonly framesLeft: number
}

/**
 * Disposing it leaves the log where it is, also if nobody else has the database open: what was not drained can be taken by the
 * next follower. While a follower is open, the application cannot leave WAL mode.
 */
export interface DatabaseFollower extends AsyncDisposable {
  readonly start: FollowStart
  readonly pageSize: number
  /** The end of the last commit that was taken. */
  readonly position: FollowPosition
  /** Bytes of the log in use; 0 once all of it has been copied into the database, so that the next writer may reset it. */
  readonly logBytes: number
  /**
   * Everything that had been committed by this moment has been taken; milliseconds since 1970. It goes on while the follower waits, too. Undefined
   * before the first drain.
   */
  readonly currentAt: number | undefined
  /** False if the last drain, or hand-off, could not find out what there is, since SQLite was too busy: what it took may not be all. */
  readonly isCurrent: boolean

  /**
   * Takes every commit up to the present horizon. `pages` and `commit` of the receiver are called in turn. Now and then, and
   * when nothing was left to take, the reader is renewed, so that the application's own checkpoints get on.
   */
  drain(receiver: CommitReceiver, options?: { readonly signal?: AbortSignal | undefined }): Promise<DrainResult>

  /**
   * Lets the log be reset: checkpoints what was drained, taking the write lock only for the last little, for a bounded time.
   * Drains meanwhile, into the same receiver: at the least, all that was committed before the call. Writers that commit faster
   * than can be drained are slowed down while it lasts.
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

  /**
   * Resolves when there may be something to drain, or after `timeoutMs`. Costs next to nothing while the database is idle. Be
   * here whenever there is nothing else to do: an application's checkpoint that waits for our reader is let go on from here.
   *
   * @throws ABORTED
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>
}
