import { type HoldfastError, toHoldfastError } from '../errors.ts'
import { formatState } from '../history/state-checksum.ts'
import type { DatabaseFollower, FollowPosition } from '../source/follower.ts'
import { BatchWriter } from './batch-writer.ts'
import { type Begun, beginFollowing, type Numbers } from './begin-following.ts'
import type { GapReason } from './gap-reasons.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import { LogUpkeep } from './log-upkeep.ts'
import type { SyncRequest } from './requests.ts'
import { mayBeHelped, pauseBeforeRetry } from './retry-database.ts'
import type { Session } from './session.ts'
import { isSpoolOverLimit, relieveSpool, spoolLimitReached } from './spool/relieve-spool.ts'

/** Between two drains of a busy database: enough not to burden it, too short for anybody to notice. */
const drainPauseMs = 20
/** An idle capture looks up now and then, so that no missed wake-up lasts for ever. */
const longestWaitMs = 3_600_000
/** After commits were let go by because the spool could not be written: how long until the next try. */
const giveUpMs = 30_000

/** Why following ends, or has to begin again. */
type Outcome =
  | { readonly kind: 'stopped' }
  /** Continuity is lost. */
  | { readonly kind: 'anew'; readonly reason: GapReason }
  /** The engine failed; nothing is known to be missing. */
  | { readonly kind: 'again'; readonly error: HoldfastError }

/** What a capture goes on from. */
export interface CaptureBeginning {
  readonly known: KnownHistory | undefined
  readonly numbers: Numbers
  readonly resumeAt: FollowPosition | undefined
  /** Why commits are missing, if it cannot resume. */
  readonly reason: GapReason
}

/** Follows a database by its log: every commit. */
export class LogCapture {
  readonly #session: Session
  readonly #upkeep: LogUpkeep
  readonly #numbers: Numbers
  #follower: DatabaseFollower
  #writer: BatchWriter
  #gaveUpUntil: number | undefined
  #restingPosition: FollowPosition | undefined
  #logBytes = 0
  #trouble: string | undefined

  private constructor(session: Session, follower: DatabaseFollower, { known, how }: Begun, numbers: Numbers) {
    this.#session = session
    this.#numbers = numbers
    this.#follower = follower
    this.#writer = this.#newWriter(known)
    this.#upkeep = new LogUpkeep(session.settings, how === 'resumed' && !session.clean)
  }

  /** Goes on where the former capture stopped, or begins anew. @throws as openFollower; STORAGE_*, DISK_FULL, ABORTED */
  static async start(session: Session, from: CaptureBeginning, signal: AbortSignal | undefined): Promise<LogCapture> {
    const { source, settings } = session
    const { known, resumeAt, numbers, reason } = from
    // A state after which the next number is taken cannot be followed by a log.
    const canResume = known !== undefined && resumeAt !== undefined && known.end.lsn === numbers.highest
    const follower = await source.openFollower({
      resume: canResume ? { position: resumeAt, hashes: known.table.copy() } : undefined,
      busyTimeoutMs: settings.busyTimeoutMs,
      signal,
    })
    try {
      const parts = { start: follower.start, position: () => follower.position }
      const begun = await beginFollowing(session, parts, known, numbers, reason, signal)
      const { lsn, time } = begun.known.end
      settings.onEvent({ kind: 'started', mode: 'commits', how: begun.how, lsn, time })
      return new LogCapture(session, follower, begun, numbers)
    } catch (error) {
      await follower[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The newest state that is kept, in the repository or in the spool. */
  get end(): HistoryEnd {
    return this.#writer.end
  }

  get known(): KnownHistory {
    return this.#writer.known
  }

  get numbers(): Numbers {
    return this.#numbers
  }

  /** Bytes of the log that are not copied into the database yet, when last looked at. */
  get logBytes(): number {
    return this.#logBytes
  }

  /** Why the database is being opened again and again; undefined while it is followed. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Where the follower stood at `end` when it stopped in order. */
  get restingPosition(): FollowPosition | undefined {
    return this.#restingPosition
  }

  /** Follows until it is asked to stop. @throws what cannot be helped by trying again */
  async run(): Promise<void> {
    for (let failures = 0; ; ) {
      const before = this.#writer.last.lsn
      const outcome = await this.#follow()
      const position = this.#follower.position
      const isAtEnd = this.#writer.failure === undefined && position.state === formatState(this.end.state)
      await this.#follower[Symbol.asyncDispose]()
      if (outcome.kind === 'stopped') {
        if (isAtEnd) this.#restingPosition = position
        return
      }
      if (this.#writer.last.lsn > before) failures = 0
      if (outcome.kind === 'again') {
        failures += 1
        if (!mayBeHelped(outcome.error, failures)) throw outcome.error
        await this.#pause(outcome.error, failures)
      }
      const resumeAt = outcome.kind === 'again' && isAtEnd ? position : undefined
      const reason = outcome.kind === 'anew' ? outcome.reason : isAtEnd ? 'not-running' : 'spool-full'
      if (!(await this.#reopen(resumeAt, reason, failures))) return
    }
  }

  /** False if it was asked to stop meanwhile. */
  async #reopen(resumeAt: FollowPosition | undefined, reason: GapReason, failures: number): Promise<boolean> {
    const { source, settings, requests } = this.#session
    const { stopSignal: signal } = requests
    let known: KnownHistory | undefined = this.#writer.known
    for (let failed = failures; !requests.stopping; ) {
      try {
        if (this.#session.spool.isBroken) known = await this.#session.startOver(signal)
        const resume =
          resumeAt === undefined || known === undefined ? undefined : { position: resumeAt, hashes: known.table.copy() }
        const follower = await source.openFollower({ resume, busyTimeoutMs: settings.busyTimeoutMs, signal })
        try {
          const parts = { start: follower.start, position: () => follower.position }
          const begun = await beginFollowing(this.#session, parts, known, this.#numbers, reason, signal)
          this.#follower = follower
          this.#writer = this.#newWriter(begun.known)
          this.#gaveUpUntil = undefined
          this.#trouble = undefined
          return true
        } catch (error) {
          await follower[Symbol.asyncDispose]()
          throw error
        }
      } catch (thrown) {
        if (requests.stopping) return false
        const error = toHoldfastError(thrown, source.location)
        failed += 1
        if (!mayBeHelped(error, failed) || error.code === 'DATABASE_UNSUPPORTED') throw error
        await this.#pause(error, failed)
      }
    }
    return false
  }

  async #follow(): Promise<Outcome> {
    const { requests } = this.#session
    for (;;) {
      const syncs = requests.takeSyncs()
      const { stopping } = requests
      try {
        const before = this.#writer.last.lsn
        const lost = await this.#upkeep.run(this.#follower, this.#writer)
        this.#logBytes = this.#follower.logBytes
        if (lost !== undefined) {
          await this.#writer.breakOff(this.#follower.position)
          requests.putBack(syncs)
          return { kind: 'anew', reason: lost }
        }
        if (this.#session.spool.isBroken) {
          await this.#writer.discard()
          requests.putBack(syncs)
          return { kind: 'anew', reason: 'spool-damaged' }
        }
        if (stopping || syncs.length > 0 || this.#isBatchDue()) await this.#writer.close()
        this.#answer(syncs)
        await this.#relieve()
        if (stopping) return { kind: 'stopped' }
        if (this.#spoolIsUsableAgain()) return { kind: 'anew', reason: 'spool-full' }
        await this.#wait(this.#writer.last.lsn > before)
      } catch (thrown) {
        requests.putBack(syncs)
        const error = toHoldfastError(thrown, this.#session.source.location)
        if (!mayBeHelped(error)) throw error
        await this.#writer.breakOff(this.#follower.position)
        return { kind: 'again', error }
      }
    }
  }

  #isBatchDue(): boolean {
    const { openedAt } = this.#writer
    if (openedAt === undefined) return false
    const { clock, syncIntervalMs } = this.#session.settings
    const age = clock.now() - openedAt
    return age >= syncIntervalMs || age < 0 || this.#writer.isFull
  }

  #answer(syncs: readonly SyncRequest[]): void {
    const { requests, uploader } = this.#session
    const { failure } = this.#writer
    const { lsn } = this.#writer.end
    if (failure === undefined) uploader.answer(syncs, lsn)
    else requests.putOff(syncs, failure)
  }

  /** Makes room in a spool that has grown too large, or gives up keeping commits, and says so. */
  async #relieve(): Promise<void> {
    const { settings, spool } = this.#session
    const limitBytes = settings.spoolLimitBytes
    const isOverLimit = this.#writer.failure === undefined && isSpoolOverLimit(this.#session)
    if (isOverLimit && !(await relieveSpool(this.#session))) await this.#writer.giveUp(spoolLimitReached())
    const { failure } = this.#writer
    if (failure === undefined || this.#gaveUpUntil !== undefined) return
    this.#gaveUpUntil = settings.clock.now() + giveUpMs
    settings.onEvent({ kind: 'spool-full', action: 'gave-up', bytes: spool.bytes, limitBytes })
    const message = `Commits are not kept until the spool can be used again. ${failure.message}`
    settings.onEvent({ kind: 'warning', message, hint: failure.hint })
  }

  /** After commits were let go by: once the repository has all that waited, or, if the spool failed by itself, after a while. */
  #spoolIsUsableAgain(): boolean {
    const { settings, spool } = this.#session
    if (this.#gaveUpUntil === undefined) return false
    return spool.bytes > settings.spoolLimitBytes / 2
      ? false
      : spool.items.length === 0 || settings.clock.now() >= this.#gaveUpUntil
  }

  async #wait(wasBusy: boolean): Promise<void> {
    const { requests, settings } = this.#session
    const { clock, syncIntervalMs } = settings
    const { wakeSignal } = requests
    try {
      if (wasBusy) await clock.sleep(drainPauseMs, wakeSignal)
      const now = clock.now()
      const { openedAt, failure } = this.#writer
      const dues = [
        openedAt === undefined ? undefined : openedAt + syncIntervalMs,
        failure === undefined ? undefined : now + 1_000,
        ...this.#upkeep.dueAt(this.#follower, now),
      ].filter((due) => due !== undefined)
      const timeout = Math.min(longestWaitMs, ...dues.map((due) => due - now))
      if (timeout > 0) await this.#follower.wait(timeout, wakeSignal)
    } catch (thrown) {
      if (!wakeSignal.aborted) throw thrown
    }
  }

  async #pause(error: HoldfastError, failures: number): Promise<void> {
    if (failures > 1) this.#trouble = error.message
    await pauseBeforeRetry(this.#session, error, failures)
  }

  #newWriter(known: KnownHistory): BatchWriter {
    const { settings, place, lease, spool, uploader, states } = this.#session
    states.note(known.end)
    return new BatchWriter(known, {
      place,
      codec: settings.codec,
      maxBatchBytes: settings.maxBatchBytes,
      now: () => settings.clock.now(),
      epoch: () => lease.epoch,
      position: () => this.#follower.position,
      onSpooled: (item, commits) => {
        if (states.isWatched) for (const commit of commits) states.note(commit)
        this.#numbers.highest = item.info.to
        spool.add(item)
        uploader.wake()
      },
      onClockStep: (back) => {
        const message = `The clock went back by ${Math.round(back / 1000)} s; commits are dated like the newest one until it has caught up.`
        settings.onEvent({ kind: 'warning', message })
      },
    })
  }
}
