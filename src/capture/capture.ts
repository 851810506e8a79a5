import type { BackupResult } from '../backup/backup-options.ts'
import { type HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Lease } from '../repository/lease.ts'
import type { OpenSnapshotOptions } from '../source/source.ts'
import { abortable } from '../util/abort.ts'
import type { Unsent } from './capture-events.ts'
import { backUpFollowed } from './followed-backup/followed-backup.ts'
import type { FollowedBackupOptions } from './followed-backup/followed-database.ts'
import { type CaptureBeginning, LogCapture } from './log-capture.ts'
import { notFollowedNow } from './not-followed-now.ts'
import type { SyncRequest } from './requests.ts'
import { mayBeHelped, pauseBeforeRetry } from './retry-database.ts'
import { RollbackCapture } from './rollback-capture.ts'
import type { Session } from './session.ts'
import { startFollowing } from './start-following.ts'

export interface CaptureStatus {
  /** The newest state that is kept, in the repository or in the spool, and when it was seen (milliseconds since 1970). */
  readonly lsn: Lsn
  readonly time: number
  /** The newest state in the repository. */
  readonly durableLsn: Lsn
  readonly waiting: Unsent
  /** Bytes of the database's log that are not copied into the database yet. */
  readonly logBytes: number
  /** What keeps the database from being followed just now, while that is tried again and again; null if nothing does. */
  readonly trouble: string | null
}

export interface StopOptions {
  /** How long to wait for what is not in the repository yet, in milliseconds. */
  readonly waitMs?: number | undefined
}

/** A database being followed. */
export interface Capture extends AsyncDisposable {
  /** Absolute path of the database. */
  readonly location: string
  readonly status: CaptureStatus
  /** Settles when following ends: resolves after a stop, rejects with what made going on impossible. */
  readonly done: Promise<void>
  /**
   * Resolves when everything that was committed before the call is durable in the repository; with the number of that state.
   * @throws ABORTED if the capture stops before, or the signal fires; what made it fail
   */
  sync(options?: { readonly signal?: AbortSignal | undefined }): Promise<Lsn>
  /**
   * A checked backup of a state of the database, while it is followed.
   * @throws as {@link backUpFollowed}
   */
  backUp(options: FollowedBackupOptions): Promise<BackupResult>
  /** Does something under the lease that the capture holds; see {@link Uploader.exclusively}. */
  exclusively<T>(
    work: (database: DatabaseRepository, lease: Lease, signal: AbortSignal) => Promise<T>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<T>
  /** Takes what was committed, waits a while for its upload, and lets the database go. Says what is left in the spool. */
  stop(options?: StopOptions): Promise<Unsent>
}

export class RunningCapture implements Capture {
  readonly #session: Session
  #following: LogCapture | RollbackCapture
  readonly #loop: Promise<void>
  readonly done: Promise<void>
  #stopped: Promise<Unsent> | undefined
  #failure: HoldfastError | undefined
  readonly #folderLock: Disposable
  #lastBackup: Promise<unknown> = Promise.resolve()
  /** What keeps following from beginning anew in the other way. */
  #trouble: string | undefined

  constructor(session: Session, following: LogCapture | RollbackCapture, folderLock: Disposable) {
    this.#session = session
    this.#folderLock = folderLock
    this.#following = following
    this.#loop = this.#run()
    this.done = this.#loop.then(
      async () => {
        await this.stop()
        if (this.#failure !== undefined) throw this.#failure
      },
      async (thrown: unknown) => {
        this.#failure ??= toHoldfastError(thrown, session.source.location)
        await this.stop({ waitMs: 0 })
        throw this.#failure
      },
    )
    // Whoever does not ask for it need not handle it: `sync` and `stop` tell of it too.
    this.done.catch(() => {})
  }

  get location(): string {
    return this.#session.source.location
  }

  get status(): CaptureStatus {
    const { lsn, time } = this.#following.end
    return {
      lsn,
      time,
      durableLsn: this.#session.uploader.durable,
      waiting: this.#unsent(),
      logBytes: this.#following.logBytes,
      trouble: this.#trouble ?? this.#following.trouble ?? null,
    }
  }

  /** Everything that had been committed by then is in the repository; milliseconds since 1970. Undefined if that is not known. */
  get coveredAt(): number | undefined {
    const { trouble, waiting } = this.status
    const kept = this.#following.keptUntil
    if (this.#failure !== undefined || trouble !== null || waiting.gaveUpAfter !== undefined || kept === undefined)
      return undefined
    const [oldest] = this.#session.spool.items
    if (oldest === undefined) return kept
    const { gap, pause, info } = oldest
    return Math.min(kept, info.firstTime, (gap ?? pause)?.fromTime ?? info.firstTime)
  }

  sync(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lsn> {
    return this.#sync('durable', options.signal)
  }

  /** One after the other: each full one notes in the lease what it begins. */
  backUp(options: FollowedBackupOptions): Promise<BackupResult> {
    const followed = {
      session: this.#session,
      end: () => this.#following.end,
      keep: ({ signal }: { readonly signal?: AbortSignal | undefined }) => this.#sync('kept', signal),
      hold: async (how: OpenSnapshotOptions) =>
        this.#following instanceof RollbackCapture ? await this.#following.hold(how) : undefined,
    }
    const { signal } = options
    // Without a log, a backup looks at the database itself.
    const trouble = this.#trouble ?? (this.#following instanceof LogCapture ? this.#following.trouble : undefined)
    if (trouble !== undefined) return Promise.reject(notFollowedNow(this.location, trouble))
    const before = this.#lastBackup
    const made = abortable(before, signal).then(() => backUpFollowed(followed, options))
    this.#lastBackup = Promise.allSettled([before, made])
    return made
  }

  async exclusively<T>(
    work: (database: DatabaseRepository, lease: Lease, signal: AbortSignal) => Promise<T>,
    { signal: given }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const { uploader, database } = this.#session
    return await uploader.exclusively((lease, _epoch, signal) => work(database, lease, signal), given)
  }

  stop(options: StopOptions = {}): Promise<Unsent> {
    this.#stopped ??= this.#stop(options.waitMs ?? this.#session.settings.stopWaitMs)
    return this.#stopped
  }

  stopSoon(): void {
    this.stop({ waitMs: 0 }).catch(() => {})
  }

  /** Going on is impossible. */
  fail(error: HoldfastError): void {
    this.#failure ??= error
    this.#session.requests.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #sync(until: SyncRequest['until'], signal: AbortSignal | undefined): Promise<Lsn> {
    if (this.#failure !== undefined) throw this.#failure
    const synced = this.#session.requests.sync(until)
    if (this.#stopped !== undefined) this.#session.requests.rejectAll()
    return await abortable(synced, signal)
  }

  async #run(): Promise<void> {
    for (;;) {
      const following = this.#following
      if (!(await this.#hasSwitched(following))) return
      const { known, numbers } = following
      const reason = following.gaveUpAfter === undefined ? 'journal-mode-changed' : 'spool-full'
      const from = { known, numbers, resumeAt: undefined, reason } as const
      const next = await this.#startAgain(from)
      if (next === undefined) return
      this.#following = next
    }
  }

  /** Whoever switches the journal mode holds the database for moments, or for long. Undefined if it is to stop meanwhile. */
  async #startAgain(from: CaptureBeginning): Promise<LogCapture | RollbackCapture | undefined> {
    const { requests, source } = this.#session
    for (let failures = 1; !requests.stopping; failures += 1) {
      try {
        const following = await startFollowing(this.#session, from, requests.stopSignal)
        this.#trouble = undefined
        return following
      } catch (thrown) {
        if (requests.stopping) return undefined
        const error = toHoldfastError(thrown, source.location)
        if (!mayBeHelped(error, failures) || error.code === 'DATABASE_UNSUPPORTED') throw error
        if (failures > 1) this.#trouble = error.message
        await pauseBeforeRetry(this.#session, error, failures)
      }
    }
    return undefined
  }

  /** Follows until the end; true if the database got a log, or has none any more, so that it must be followed in the other way. */
  async #hasSwitched(following: LogCapture | RollbackCapture): Promise<boolean> {
    if (following instanceof RollbackCapture) return (await following.run()) === 'has-log'
    try {
      await following.run()
      return false
    } catch (error) {
      // Whether there is another way will be seen: it may have a log again by then.
      if (!hasCode(error, 'DATABASE_UNSUPPORTED')) throw error
      return true
    }
  }

  async #stop(waitMs: number): Promise<Unsent> {
    const { requests, uploader, settings } = this.#session
    using _ = this.#folderLock
    requests.stop()
    await Promise.allSettled([this.#loop])
    try {
      if (this.#failure === undefined) await this.#waitForUploads(waitMs)
    } finally {
      await uploader.stop()
      requests.rejectAll(this.#failure)
    }
    await this.#releaseLease()
    await this.#savePosition()
    const left = this.#unsent()
    settings.onEvent({ kind: 'stopped', left })
    return left
  }

  async #waitForUploads(waitMs: number): Promise<void> {
    const { uploader, settings } = this.#session
    if (waitMs === 0 || uploader.durable >= this.#following.end.lsn) return
    const timer = new AbortController()
    const uploaded = uploader.whenDurable(this.#following.end.lsn).then(
      () => timer.abort(),
      () => timer.abort(),
    )
    try {
      await settings.clock.sleep(waitMs, timer.signal)
    } catch (thrown) {
      if (!timer.signal.aborted) throw thrown
      await uploaded
    }
  }

  /** Stopped in order, the next start need not audit. If this fails, it will. */
  async #savePosition(): Promise<void> {
    const following = this.#following
    if (!(following instanceof LogCapture) || this.#failure !== undefined) return
    const { restingPosition: position, lookedAt } = following
    if (position === undefined) return
    const { settings } = this.#session
    try {
      await this.#session.position.write({ lsn: following.end.lsn, position, clean: true, lookedAt })
    } catch (thrown) {
      const { message, hint } = toHoldfastError(thrown)
      settings.onEvent({ kind: 'warning', message: `The position could not be saved: ${message}`, hint })
    }
  }

  /**
   * Others wait until it expires, if this fails. What is left must be said all the same. That it was somebody else's by then has to be known
   * before the position is saved: what was uploaded last may be void.
   */
  async #releaseLease(): Promise<void> {
    const { settings, lease } = this.#session
    try {
      await lease.release()
    } catch (thrown) {
      if (hasCode(thrown, 'LEASE_LOST')) this.#failure ??= thrown
      const { message, hint } = toHoldfastError(thrown)
      settings.onEvent({ kind: 'warning', message: `The lease could not be given back: ${message}`, hint })
    }
  }

  #unsent(): Unsent {
    const { spool } = this.#session
    const { gaveUpAfter } = this.#following
    const waiting = { segments: spool.items.length, bytes: spool.bytes }
    return gaveUpAfter === undefined ? waiting : { ...waiting, gaveUpAfter }
  }
}
