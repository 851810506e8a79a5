import { type HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import { aborted } from '../../util/abort.ts'
import type { FollowSettings } from '../follow-options.ts'
import type { PositionFile } from '../position-file.ts'
import type { SyncRequest } from '../requests.ts'
import type { Spool } from '../spool/spool.ts'
import type { SpoolItem } from '../spool/spool-item.ts'
import type { LeaseKeeper } from './lease-keeper.ts'
import { putSegment } from './put-segment.ts'
import { TaskLane } from './task-lane.ts'

export interface UploaderContext {
  readonly database: DatabaseRepository
  readonly spool: Spool
  readonly lease: LeaseKeeper
  readonly position: PositionFile
  readonly settings: FollowSettings
  /** The newest state in the repository. */
  readonly durable: Lsn
  /** When it was seen, in milliseconds since 1970. */
  readonly durableTime: number
  /** The spool is broken, so that the capture must begin anew from what the repository has. */
  readonly onBroken: () => void
  /** Nothing more can be uploaded: another writer has the database. */
  readonly onFailure: (error: HoldfastError) => void
}

interface Waiter {
  readonly lsn: Lsn
  /** Waits no longer than until the spool is broken. */
  readonly untilBroken: boolean
  /** The state with this number was lost. */
  isLost: boolean
  readonly resolve: (lsn: Lsn) => void
  readonly reject: (error: unknown) => void
}

const baseDelayMs = 500
const maxDelayMs = 60_000

/** Carries the spool's segments to the repository, in order, beside the capture; for as long as it takes. */
export class Uploader {
  readonly #context: UploaderContext
  readonly #stop = new AbortController()
  readonly #waiters = new Set<Waiter>()
  readonly #attempted = new WeakSet<SpoolItem>()
  #durable: Lsn
  #durableTime: number
  #wake: (() => void) | undefined
  #done: Promise<void> = Promise.resolve()
  #sinceRollUp = 0
  /** Uploads that failed one after the other, up to now. */
  #failures = 0
  #failure: HoldfastError | undefined
  readonly #lane: TaskLane

  constructor(context: UploaderContext) {
    this.#context = context
    this.#lane = new TaskLane({
      lease: context.lease,
      endsAt: () => this.#mayEndAt(context.spool.first),
      onLost: (error) => this.#fail(error),
      stopSignal: this.#stop.signal,
    })
    this.#durable = context.durable
    this.#durableTime = context.durableTime
  }

  /** The newest state that is in the repository. */
  get durable(): Lsn {
    return this.#durable
  }

  /** When that was seen, in milliseconds since 1970. */
  get durableTime(): number {
    return this.#durableTime
  }

  /** Whether an upload of it was begun: the repository may hold it. */
  wasAttempted(item: SpoolItem): boolean {
    return this.#attempted.has(item)
  }

  /** The last upload failed: the repository is away. A slow one is not. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  start(): void {
    this.#done = this.#run()
  }

  /** There is something new in the spool. */
  wake(): void {
    this.#wake?.()
  }

  /** What was put into the repository by other means than the spool. */
  advance({ lsn, time }: { readonly lsn: Lsn; readonly time: number }): void {
    this.#durable = lsn
    this.#durableTime = time
    this.#settle()
  }

  /**
   * Does something in the repository under the capture's lease, one after the other; see {@link TaskLane}.
   * @param work gets the lease, the epoch of what is written now, and a signal that fires with the caller's, and when the uploader stops
   * @throws what the work throws; LEASE_*, ABORTED if the uploader stops before, or the signal fires
   */
  exclusively<T>(
    work: (lease: Lease, epoch: number, signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#lane.run(work, signal)
  }

  /**
   * Resolves when that state is in the repository, with its number; if it was lost, with that of a later one, once that is there.
   * @throws ABORTED if the uploader stops before, LEASE_*
   */
  whenDurable(lsn: Lsn): Promise<Lsn> {
    return this.#wait(lsn, false)
  }

  /** Everything up to that state is in the spool, or in the repository. */
  answer(requests: readonly SyncRequest[], lsn: Lsn): void {
    for (const { until, resolve, reject } of requests) {
      if (until === 'kept') resolve(lsn)
      else this.whenDurable(lsn).then(resolve, reject)
    }
  }

  /** Resolves when all that waits now is in the repository, or cannot come there any more. @throws as {@link whenDurable} */
  async whenSettled(): Promise<void> {
    const { spool } = this.#context
    const last = spool.isBroken ? undefined : spool.items.at(-1)
    await this.#wait(last?.info.to ?? this.#durable, true)
  }

  #wait(lsn: Lsn, untilBroken: boolean): Promise<Lsn> {
    if (this.#durable >= lsn) return Promise.resolve(lsn)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#stop.signal.aborted) return Promise.reject(aborted(this.#stop.signal))
    const { promise, resolve, reject } = Promise.withResolvers<Lsn>()
    this.#waiters.add({ lsn, untilBroken, isLost: false, resolve, reject })
    return promise
  }

  /** The spool was emptied: no state that anybody waits for will come; a later one will. */
  startOver(): void {
    for (const waiter of this.#waiters) waiter.isLost = true
  }

  /** Ends; an upload under way is broken off. What is left stays in the spool. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.wake()
    await this.#done
    await this.#lane.whenIdle()
    this.#rejectAll(aborted(this.#stop.signal))
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#failure === undefined) {
      const item = this.#context.spool.first
      if (item === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
        continue
      }
      try {
        await this.#upload(item)
        this.#failures = 0
      } catch (thrown) {
        if (this.#stop.signal.aborted) return
        const error = toHoldfastError(thrown, item.info.key)
        if (hasCode(error, 'LEASE_HELD', 'LEASE_LOST')) {
          this.#fail(error)
          return
        }
        this.#failures += 1
        await this.#pause(error, this.#failures)
      }
    }
  }

  /** Nothing more can be done, since another writer has the database. */
  #fail(error: HoldfastError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#lane.fail(error)
    this.#rejectAll(error)
    this.wake()
    this.#context.onFailure(error)
  }

  /** The repository may hold what was being uploaded. */
  #mayEndAt(item: SpoolItem | undefined): readonly Lsn[] {
    return item !== undefined && this.#attempted.has(item) ? [this.#durable, item.info.to] : [this.#durable]
  }

  async #upload(item: SpoolItem): Promise<void> {
    const { database, spool, lease, position, settings } = this.#context
    const { signal } = this.#stop
    await lease.assertHeld([this.#durable, item.info.to], signal)
    this.#attempted.add(item)
    if (!(await putSegment(database, settings.files, item, signal))) {
      this.#break()
      const message = `${item.path} has vanished before it was in the repository, and with it commits up to LSN ${item.info.to}.`
      settings.onEvent({
        kind: 'warning',
        message,
        hint: 'Nobody but Holdfast may remove files from its state folder.',
      })
      return
    }
    // One of both, spool or position file, must always tell where the follower stands.
    if (spool.items.length === 1) await position.write({ lsn: item.info.to, position: item.position, clean: false })
    await spool.remove(item)
    this.#durable = item.info.to
    this.#durableTime = item.info.lastTime
    const { key, to, bytes, firstTime } = item.info
    const lagMs = Math.max(0, settings.clock.now() - firstTime)
    settings.onEvent({ kind: 'uploaded', segment: key, lsn: to, bytes, lagMs })
    this.#settle()
    this.#sinceRollUp += 1
    if (this.#sinceRollUp >= settings.rollUpEvery) this.#rollUp()
  }

  #break(): void {
    this.#context.spool.break()
    for (const waiter of this.#waiters) {
      if (!waiter.untilBroken) continue
      this.#waiters.delete(waiter)
      waiter.resolve(this.#durable)
    }
    this.#context.onBroken()
  }

  /** Beside the uploads, in its turn. */
  #rollUp(): void {
    const { database, settings } = this.#context
    this.#sinceRollUp = 0
    const warn = (thrown: unknown): void => {
      if (this.#stop.signal.aborted || this.#failure !== undefined) return
      const { message, hint } = toHoldfastError(thrown, database.name)
      settings.onEvent({ kind: 'warning', message: `Small segments could not be merged: ${message}`, hint })
    }
    this.exclusively(async (_lease, _epoch, signal) => await settings.rollUp?.(database, { signal })).catch(warn)
  }

  async #pause({ message }: HoldfastError, failures: number): Promise<void> {
    const { clock, onEvent } = this.#context.settings
    const bound = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures - 1, 20))
    const delayMs = Math.round(bound * (0.5 + clock.random() / 2))
    onEvent({ kind: 'retrying', what: 'upload', message, delayMs, failures })
    try {
      await clock.sleep(delayMs, this.#stop.signal)
    } catch (thrown) {
      if (!this.#stop.signal.aborted) throw thrown
    }
  }

  #settle(): void {
    for (const waiter of this.#waiters) {
      if (waiter.lsn > this.#durable) continue
      this.#waiters.delete(waiter)
      waiter.resolve(waiter.isLost ? this.#durable : waiter.lsn)
    }
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters.clear()
  }
}
