import { BackupQueue, type StepAside } from '../../backup/backup-queue.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import { aborted } from '../../util/abort.ts'
import type { RunEnd } from './run-end.ts'
import type { ScheduleSpec } from './schedule-spec.ts'
import type { ScheduleState } from './schedule-state.ts'
import type { ScheduleStatus } from './schedule-status.ts'
import type { SchedulerClock } from './scheduler-clock.ts'
import { type ScheduleStateStore, StateKeeper } from './state-keeper.ts'
import { type Commits, type Item, type ScheduledRun, type SinceOf, Timetable } from './timetable.ts'

/** Waits for something without keeping other runs from their turn. Called off as soon as the scheduler stops: nothing is lost by that. */
export type StandAside = <T>(wait: (signal: AbortSignal) => Promise<T>) => Promise<T>

export interface SchedulerOptions {
  readonly clock: SchedulerClock
  /** Does the work, and settles when that is over: what it throws is a failure. It must end soon once the signal fires. */
  readonly run: (run: ScheduledRun, signal: AbortSignal, aside: StandAside) => Promise<RunEnd>
  /** Told of what a run threw; not of runs that were called off by {@link Scheduler.stop}. */
  readonly onFailure: (run: ScheduledRun, error: unknown) => void
  /** Runs at once over all databases; of one database there is only ever one. Default 2. */
  readonly maxConcurrent?: number | undefined
  /** What was known when the last scheduler ended; changed from now on. Default: nothing. */
  readonly state?: ScheduleState | undefined
  /** Where to keep it; default: nowhere. */
  readonly store?: ScheduleStateStore | undefined
  /** Told that the state could not be kept: after a restart, runs may be repeated. */
  readonly onStateNotKept?: ((error: unknown) => void) | undefined
}

interface Queued {
  readonly giveUp: AbortController
  readonly ended: Promise<RunEnd>
}

/** A machine's sleep, or a clock that was set, is noticed within this time. */
const recheckMs = 60_000
/** Clocks are put right by less than this all the time. */
const toleratedMs = 1000

/**
 * Runs what is due: once, however often it came due meanwhile; of one database, one after the other. One timer serves all
 * schedules, and there is none while nothing can become due by the clock.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #clock: SchedulerClock
  readonly #timetable: Timetable
  readonly #keeper: StateKeeper
  readonly #queue: BackupQueue
  readonly #queued = new Map<Item, Queued>()
  readonly #callOff = new AbortController()
  readonly #stopping = new AbortController()
  #timer: { readonly at: number; readonly cancel: () => void } | undefined
  #lastNow: number

  constructor(options: SchedulerOptions) {
    const state = options.state ?? new Map()
    this.#options = options
    this.#clock = options.clock
    this.#timetable = new Timetable(state, () => options.clock.random())
    this.#keeper = new StateKeeper(state, options.store, (error) => options.onStateNotKept?.(error))
    this.#queue = new BackupQueue(options.maxConcurrent ?? 2)
    this.#lastNow = options.clock.now()
  }

  /**
   * Replaces the schedules of a database; an empty list removes it. What is known of those that stay is kept, and what runs goes on. Of those
   * that go, what is known is kept for 30 days if there is a store, and else forgotten.
   * @param options.since of each schedule that is new, the moment from which it counts; what was due since then is caught up, once.
   * In milliseconds since 1970; default, and where it is undefined: now
   * @throws USAGE if two have one id
   */
  set(
    database: string,
    specs: readonly ScheduleSpec[],
    { since = () => undefined }: { readonly since?: SinceOf } = {},
  ): void {
    const now = this.#time()
    const off = this.#timetable.set(database, specs, since, now)
    for (const item of off) this.#giveUp(item)
    // What is written down is kept for a while, since databases come and go; but what nobody will read again is only in the way.
    if (this.#options.store === undefined) this.#timetable.forget(off)
    this.#changed(now)
  }

  /** Whether anything is remembered of the schedules of a database. */
  remembers(database: string): boolean {
    return this.#timetable.remembers(database)
  }

  /** So many commits, which changed pages of so many bytes, were seen, the last of them at a moment. */
  notifyCommits(database: string, commits: Commits, at: number): void {
    const now = this.#time()
    if (this.#timetable.committed(database, commits, Math.min(at, now))) this.#changed(now)
  }

  /** Following begins, or goes on, after the commit of an LSN: what was committed before and never told of counts now. */
  notifyFollowed(database: string, lsn: number): void {
    const now = this.#time()
    if (this.#timetable.followed(database, lsn, now)) this.#changed(now)
  }

  /**
   * Runs a schedule now, or joins the run of it that is queued already. Its clock and its counts go on as before, except that what is due when the run begins is done with. Resolves when the run is over.
   * @param reason `manual`, the default: somebody asked for it
   * @throws SCHEDULE_NOT_FOUND, ABORTED if the scheduler stops or the schedule is removed, and what the run throws
   */
  async runNow(database: string, id: string, reason: 'manual' | 'schedule' = 'manual'): Promise<RunEnd> {
    const item = this.#timetable.find(database, id)
    if (item === undefined) {
      throw new HoldfastError('SCHEDULE_NOT_FOUND', `${database} has no schedule "${id}".`, {
        object: id,
        hint: 'Run "holdfast schedule list" to see which there are.',
      })
    }
    if (this.#isStopped) throw aborted()
    if (item.queued === undefined) this.#timetable.queue(item, this.#time(), reason)
    return await (this.#queued.get(item)?.ended ?? this.#enqueue(item))
  }

  list(): ScheduleStatus[] {
    return this.#timetable.list()
  }

  /**
   * Starts nothing more, waits for what runs unless that stands aside, and keeps the state. What was due and has not begun, or is called off, is caught
   * up by the next scheduler.
   * @param options.graceMs what still runs after so long is called off by its signal; default: never
   */
  async stop({ graceMs }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#stopping.abort()
    this.#timer?.cancel()
    for (const item of [...this.#queued.keys()]) this.#giveUp(item)
    const cancel = graceMs === undefined ? undefined : this.#clock.after(graceMs, () => this.#callOff.abort())
    await this.#queue.idle()
    cancel?.()
    await this.#keeper.flush(this.#clock.now())
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #wake(): void {
    this.#timer = undefined
    const now = this.#time()
    for (const item of this.#timetable.takeDue(now)) void this.#enqueue(item)
    if ((this.#keeper.saveAt ?? Number.POSITIVE_INFINITY) <= now) {
      this.#timetable.forgetUnused(now)
      void this.#keeper.save(now).then(() => this.#arm())
    }
    this.#arm()
  }

  /** The time, having seen to it that a clock that was set back leaves nothing waiting for its former time. */
  #time(): number {
    const now = this.#clock.now()
    if (now < this.#lastNow - toleratedMs) {
      this.#timetable.clockWentBack(now)
      this.#keeper.changed(now)
    }
    this.#lastNow = now
    return now
  }

  #changed(now: number): void {
    this.#keeper.changed(now)
    this.#arm()
  }

  #arm(): void {
    const next = Math.min(
      this.#timetable.earliest ?? Number.POSITIVE_INFINITY,
      this.#keeper.saveAt ?? Number.POSITIVE_INFINITY,
    )
    if (this.#isStopped || next === Number.POSITIVE_INFINITY) return
    const now = this.#clock.now()
    const delay = Math.min(Math.max(next - now, 0), recheckMs)
    if (this.#timer !== undefined && this.#timer.at <= now + delay) return
    this.#timer?.cancel()
    this.#timer = { at: now + delay, cancel: this.#clock.after(delay, () => this.#wake()) }
  }

  #enqueue(item: Item): Promise<RunEnd> {
    const giveUp = new AbortController()
    const ended = this.#queue.run(item.database, (aside) => this.#execute(item, aside), giveUp.signal)
    this.#queued.set(item, { giveUp, ended })
    // Whoever waits for it is told by this promise, all others by `onFailure`.
    ended.catch(() => {})
    return ended
  }

  async #execute(item: Item, stepAside: StepAside): Promise<RunEnd> {
    const run = item.queued
    this.#queued.delete(item)
    if (run === undefined) throw aborted()
    const record = this.#timetable.begin(item, run, this.#time())
    this.#changed(this.#lastNow)
    const { signal } = this.#callOff
    const stopping = this.#stopping.signal
    const aside: StandAside = (wait) => stepAside(() => wait(stopping), stopping)
    try {
      const end = await this.#options.run(run, signal, aside)
      this.#timetable.end(record, end.outcome, this.#time())
      return end
    } catch (thrown) {
      const isCalledOff = signal.aborted || (stopping.aborted && hasCode(thrown, 'ABORTED'))
      this.#timetable.end(record, isCalledOff ? undefined : 'failed', this.#time())
      if (!isCalledOff) this.#options.onFailure(run, thrown)
      throw thrown
    } finally {
      this.#changed(this.#lastNow)
    }
  }

  #giveUp(item: Item): void {
    this.#queued.get(item)?.giveUp.abort()
    this.#queued.delete(item)
  }
}
