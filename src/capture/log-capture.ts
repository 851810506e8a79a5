import { type HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import { formatState } from '../history/state-checksum.ts'
import type { DatabaseFollower, FollowPosition } from '../source/follower.ts'
import { abortable } from '../util/abort.ts'
import { BatchWriter } from './batch-writer.ts'
import { type Begun, beginFollowing, type Numbers } from './begin-following.ts'
import type { FollowSettings } from './follow-options.ts'
import type { GapReason } from './gap-reasons.ts'
import { GivingUp, noteGivenUp } from './giving-up.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import { LogUpkeep } from './log-upkeep.ts'
import type { SyncRequest } from './requests.ts'
import { mayBeHelped, pauseBeforeRetry } from './retry-database.ts'
import type { Session } from './session.ts'

/** Between two drains of a busy database: enough not to burden it, too short for anybody to notice. */
const drainPauseMs = 20
/** What could not be looked at is tried again so soon. */
const unknownMs = 100
/** Where no notification comes, the log is looked at every 32 seconds; what is later than that was made while nobody looked. */
const longestLatenessMs = 40_000
/** A clock that goes back by more than this was set; less is an ordinary adjustment. */
const passingStepMs = 1_000
/** An idle capture looks up now and then, so that no missed wake-up lasts for ever. */
const longestWaitMs = 3_600_000

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
  /** Until when nothing was committed after it, as far as known; in milliseconds since 1970. */
  readonly lookedAt?: number | undefined
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
  readonly #givingUp = new GivingUp()
  #restingPosition: FollowPosition | undefined
  #logBytes = 0
  #lookedAt: number
  /** All that was committed before following began may not have been taken yet. */
  #isBeginning = true
  #trouble: string | undefined

  private constructor(session: Session, follower: DatabaseFollower, begun: Begun, from: CaptureBeginning) {
    this.#session = session
    this.#numbers = from.numbers
    this.#follower = follower
    this.#lookedAt = begun.seenAt ?? Math.max(from.lookedAt ?? 0, begun.known.end.time)
    this.#writer = this.#newWriter(begun)
    this.#upkeep = new LogUpkeep(session.settings, begun.how === 'resumed' && !session.clean)
  }

  /** Goes on where the former capture stopped, or begins anew. @throws as openFollower; STORAGE_*, DISK_FULL, ABORTED */
  static async start(session: Session, from: CaptureBeginning, signal: AbortSignal | undefined): Promise<LogCapture> {
    const { spool, uploader } = session
    try {
      return await LogCapture.#begin(session, from, signal)
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL') || spool.items.length === 0 || uploader.isFailing) throw error
      // The database is let go meanwhile. Then there is room, or the way past the spool is free.
      await abortable(uploader.whenSettled(), signal)
      return await LogCapture.#begin(session, from, signal)
    }
  }

  static async #begin(session: Session, from: CaptureBeginning, signal: AbortSignal | undefined): Promise<LogCapture> {
    const { source, settings } = session
    const { known, resumeAt, numbers, reason } = from
    // A state after which the next number is taken cannot be followed by a log.
    const canResume = known !== undefined && resumeAt !== undefined && known.end.lsn === numbers.highest
    const resume = canResume ? { position: resumeAt, hashes: known.table.copy() } : undefined
    const follower = await source.openFollower({ ...followerOptions(settings, signal), resume })
    try {
      const parts = { start: follower.start, position: () => follower.position }
      const begun = await beginFollowing(session, parts, known, numbers, reason, signal)
      const { lsn, time } = begun.known.end
      settings.onEvent({ kind: 'started', mode: 'commits', how: begun.how, lsn, time })
      return new LogCapture(session, follower, begun, from)
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

  /** The newest state that is kept, if commits after it were let go by since the spool could not take them. */
  get gaveUpAfter(): Lsn | undefined {
    return this.#writer.failure === undefined ? undefined : this.end.lsn
  }

  /** Why the database is being opened again and again; undefined while it is followed. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Where the follower stood at `end` when it stopped in order. */
  get restingPosition(): FollowPosition | undefined {
    return this.#restingPosition
  }

  /** When all that had been committed was taken the last time, in milliseconds since 1970. */
  get lookedAt(): number {
    return Math.max(this.#lookedAt, this.#follower.currentAt ?? 0)
  }

  /** Everything that had been committed by then is in the spool, or further; in milliseconds since 1970. */
  get keptUntil(): number {
    return Math.min(this.lookedAt, this.#writer.openSince ?? Number.POSITIVE_INFINITY)
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
      const reason = this.#reasonAfter(outcome, isAtEnd)
      if (!(await this.#reopen(resumeAt, reason, failures))) return
    }
  }

  /** Where commits are let go by, whatever comes then is only the second reason. */
  #reasonAfter(outcome: Exclude<Outcome, { kind: 'stopped' }>, isAtEnd: boolean): GapReason {
    const gaveUp = this.#writer.failure !== undefined
    if (outcome.kind === 'anew' && (!gaveUp || outcome.reason === 'spool-damaged')) return outcome.reason
    return isAtEnd ? 'not-running' : 'spool-full'
  }

  /** False if it was asked to stop meanwhile. */
  async #reopen(resumeAt: FollowPosition | undefined, reason: GapReason, failures: number): Promise<boolean> {
    const { source, settings, requests } = this.#session
    const { stopSignal: signal } = requests
    let known: KnownHistory | undefined = this.#writer.known
    let why = reason
    for (let failed = failures; !requests.stopping; ) {
      try {
        if (this.#session.spool.isBroken) known = await this.#session.startOver(signal)
        // A number that was taken in vain lies between: what follows it cannot be a log.
        const canResume = resumeAt !== undefined && known?.end.lsn === this.#numbers.highest
        const resume = canResume && known !== undefined ? { position: resumeAt, hashes: known.table.copy() } : undefined
        const follower = await source.openFollower({ ...followerOptions(settings, signal), resume })
        if (follower.start.kind === 'anew' && why === 'not-running') why = follower.start.reason ?? why
        try {
          const parts = { start: follower.start, position: () => follower.position }
          const begun = await beginFollowing(this.#session, parts, known, this.#numbers, why, signal)
          this.#follower = follower
          this.#writer = this.#newWriter(begun)
          this.#lookedAt = Math.max(this.#lookedAt, begun.seenAt ?? 0, begun.known.end.time)
          this.#isBeginning = true
          this.#givingUp.end()
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
        const now = this.#session.settings.clock.now()
        this.#lookedAt = this.#since(now)
        this.#writer.goOn(this.#lookedAt, this.#isBeginning || now - this.#lookedAt > longestLatenessMs)
        const lost = await this.#upkeep.run(this.#follower, this.#writer)
        this.#logBytes = this.#follower.logBytes
        if (lost !== undefined) {
          await this.#writer.breakOff(this.#follower.position)
          requests.putBack(syncs)
          return { kind: 'anew', reason: lost }
        }
        const { isCurrent } = this.#follower
        if (isCurrent) this.#caughtUp(now)
        if (this.#session.spool.isBroken) {
          await this.#writer.discard()
          requests.putBack(syncs)
          return { kind: 'anew', reason: 'spool-damaged' }
        }
        if (stopping || syncs.length > 0 || this.#isBatchDue()) await this.#writer.close()
        if (isCurrent) this.#answer(syncs)
        else requests.putBack(syncs)
        await this.#givingUp.relieve(this.#session, this.#writer)
        if (stopping) return { kind: 'stopped' }
        if (this.#givingUp.isOver(this.#session.settings.clock.now(), this.#session))
          return { kind: 'anew', reason: 'spool-full' }
        await this.#wait(this.#writer.last.lsn > before, isCurrent)
      } catch (thrown) {
        requests.putBack(syncs)
        const error = toHoldfastError(thrown, this.#session.source.location)
        if (!mayBeHelped(error)) throw error
        await this.#writer.breakOff(this.#follower.position)
        return { kind: 'again', error }
      }
    }
  }

  /** Until when the state is known; a clock that was ahead then tells nothing of it. */
  #since(now: number): number {
    const { lookedAt } = this
    if (lookedAt <= now + passingStepMs) return lookedAt
    // Of one that is behind the newest commit too, the writer tells.
    if (this.#writer.last.time <= now + passingStepMs) this.#sayClockStep(lookedAt - now)
    return now
  }

  #sayClockStep(back: number): void {
    const since = `The clock went back by ${Math.round(back / 1000)} s`
    const message = `${since}; commits are dated like the newest one until it has caught up. A time that comes twice means the second time.`
    this.#session.settings.onEvent({ kind: 'warning', message })
  }

  #caughtUp(now: number): void {
    this.#lookedAt = now
    this.#isBeginning = false
    this.#writer.caughtUp()
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

  async #wait(wasBusy: boolean, isCurrent: boolean): Promise<void> {
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
        isCurrent ? undefined : now + unknownMs,
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

  #newWriter({ known }: Begun): BatchWriter {
    const { settings, place, lease, spool, uploader, states } = this.#session
    states.note(known.end)
    return new BatchWriter(known, {
      place,
      codec: settings.codec,
      maxBatchBytes: settings.maxBatchBytes,
      now: () => settings.clock.now(),
      epoch: () => lease.epoch,
      position: () => this.#follower.position,
      onGivenUp: (kept) => noteGivenUp(this.#session, kept),
      onSpooled: (item, commits) => {
        if (states.isWatched) for (const commit of commits) states.note(commit)
        this.#numbers.highest = item.info.to
        this.#givingUp.hasKept()
        spool.add(item)
        uploader.wake()
      },
      onClockStep: (back) => this.#sayClockStep(back),
    })
  }
}

/** Whatever is dated goes by one clock. */
const followerOptions = ({ busyTimeoutMs, clock }: FollowSettings, signal: AbortSignal | undefined) => ({
  busyTimeoutMs,
  now: () => clock.now(),
  signal,
})
