import type { BackupResult } from '../../backup/backup-options.ts'
import type { CaptureStatus } from '../../capture/capture.ts'
import type { CaptureEvent, Unsent } from '../../capture/capture-events.ts'
import type { Clock } from '../../capture/clock.ts'
import type { FollowRequest } from '../../capture/engine-api.ts'
import type { FollowedBackupRequest } from '../../capture/followed-backup/followed-backup-request.ts'
import type { StorageAddress } from '../../engine/storage-link.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import { abortable, throwIfAborted } from '../../util/abort.ts'
import type { OnProgress } from '../../util/progress.ts'
import type { Worker, WorkerPool } from '../worker/worker-pool.ts'
import { FollowBook, type FollowFacts, type FollowState } from './follow-facts.ts'
import { readSpool } from './read-spool.ts'

const firstRetryMs = 1_000
const lastRetryMs = 300_000
/** Somebody else's lease ends when they do, so it is asked for more often. */
const leaseRetryMs = 10_000
/** What went well for so long is a new failure when it fails. */
const settledMs = 60_000
/** A worker takes as long to take what was committed, and to let go, besides waiting for uploads. */
const usualHangMs = 10_000

export interface FollowedDatabaseContext {
  /** Name in the repository. */
  readonly name: string
  readonly path: string
  readonly storage: StorageAddress
  readonly request: FollowRequest
  readonly pool: Pick<WorkerPool, 'take'>
  /** Lets only so many begin at once: a first state is all of a database. Resolves when this one may, with what says it has. */
  readonly mayStart: (signal: AbortSignal) => Promise<() => void>
  readonly clock: Clock
  readonly onEvent: (event: CaptureEvent) => void
  /** Following began, failed and will be tried again, or ended. */
  readonly onState: (facts: FollowFacts) => void
  /** It was not let go in order. */
  readonly onStopFailed: (error: HoldfastError) => void
}

/** Keeps a database followed, by whichever worker, for as long as it is asked to: a failure is told, and then tried again. */
export class FollowedDatabase {
  readonly #context: FollowedDatabaseContext
  readonly #stop = new AbortController()
  readonly #book: FollowBook
  #worker: Worker | undefined
  #done: Promise<void> = Promise.resolve()
  #onChange: (() => void)[] = []
  /** Whoever followed it last said what waits for the next start. */
  #isLeftTold = false
  #toldOfStop: string | undefined

  constructor(context: FollowedDatabaseContext) {
    this.#context = context
    this.#book = new FollowBook(context.clock.now())
  }

  get name(): string {
    return this.#context.name
  }

  get isFollowing(): boolean {
    return this.#book.isFollowing
  }

  get facts(): FollowFacts {
    return this.#book.facts(this.#context.clock.now())
  }

  /** Waits until it is followed, for so long, in milliseconds. Resolves to whether it is. @throws ABORTED */
  async isFollowedWithin(patienceMs: number, signal: AbortSignal): Promise<boolean> {
    const timeUp = new AbortController()
    const over = new AbortController()
    this.#context.clock.sleep(patienceMs, over.signal).then(
      () => timeUp.abort(),
      () => {},
    )
    try {
      while (!this.isFollowing && this.#book.state !== 'stopped' && !timeUp.signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#onChange.push(resolve)
        await abortable(promise, AbortSignal.any([signal, timeUp.signal])).catch((thrown: unknown) => {
          if (signal.aborted) throw thrown
        })
      }
      return this.isFollowing
    } finally {
      over.abort()
    }
  }

  /** Whether no commits wait on this machine for the repository, also of an earlier following. @throws the system's error */
  async hasEmptySpool(): Promise<boolean> {
    const { stateFolder } = this.#context.request
    return stateFolder !== undefined && (await readSpool(stateFolder)).segments === 0
  }

  start(): void {
    this.#done = this.#run()
  }

  /** @throws NOT_RUNNING while it is not followed; as a capture's `backUp` */
  async backUp(
    request: FollowedBackupRequest,
    options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined },
  ): Promise<BackupResult> {
    const input = { database: this.name, request }
    return await this.#following().call('backUp', input, { signal: options.signal, onEvent: options.onProgress })
  }

  /** @throws NOT_RUNNING, and as a capture's `sync` */
  async sync(signal?: AbortSignal): Promise<number> {
    return await this.#following().call('sync', this.name, { signal })
  }

  /** The worker that follows it now. */
  get worker(): Worker | undefined {
    return this.isFollowing ? this.#worker : undefined
  }

  /** What a worker says of it, when it was asked. */
  noteStatus(status: CaptureStatus): void {
    this.#book.noteStatus(status, this.#context.clock.now())
  }

  /** Bytes of the database's log, when last asked for. */
  get logBytes(): number {
    return this.#book.logBytes
  }

  /**
   * Takes what was committed, waits so long for its upload, and lets the database go. Says what is left for the next start, as far as is
   * known.
   * @param hangMs a worker that hangs is waited for so much longer; default 10 s
   */
  async stop(waitMs: number, hangMs: number = usualHangMs): Promise<Unsent> {
    const worker = this.#worker
    this.#stop.abort()
    const stopped = worker !== undefined && this.isFollowing ? this.#letGo(worker, waitMs) : Promise.resolve()
    const timer = new AbortController()
    const done = stopped.then(() => this.#done).then(() => timer.abort())
    const timeUp = this.#context.clock.sleep(waitMs + hangMs, timer.signal).catch((thrown: unknown) => {
      if (!timer.signal.aborted) throw thrown
    })
    await Promise.race([done, timeUp])
    if (this.#book.state !== 'stopped') await this.#countLeft()
    return this.#book.left
  }

  async #letGo(worker: Worker, waitMs: number): Promise<void> {
    try {
      this.#letGoWith(await worker.call('stop', { database: this.name, waitMs }))
    } catch (thrown) {
      // What it ended with, if that was not this stop, is told by the end of following itself.
      if (!hasCode(thrown, 'NOT_RUNNING', 'ENGINE_DIED', 'ABORTED')) this.#stopFailed(toHoldfastError(thrown))
    }
  }

  /** The same may be told by the end of following, and by whoever asked for that. */
  #stopFailed(error: HoldfastError): void {
    if (this.#toldOfStop === error.message) return
    this.#toldOfStop = error.message
    this.#book.stopFailed(error)
    this.#context.onStopFailed(error)
  }

  #letGoWith(left: Unsent): void {
    this.#isLeftTold = true
    this.#book.letGo(left)
  }

  /** A worker that hangs, died or failed did not tell, and while it is not followed nobody does: the spool itself does. */
  async #countLeft(): Promise<void> {
    const { stateFolder } = this.#context.request
    if (this.#isLeftTold || stateFolder === undefined) return
    try {
      this.#book.letGo(await readSpool(stateFolder))
    } catch (thrown) {
      this.#stopFailed(toHoldfastError(thrown, stateFolder))
    }
  }

  #following(): Worker {
    if (this.#worker !== undefined && this.isFollowing) return this.#worker
    throw new HoldfastError('NOT_RUNNING', `${this.name} is not followed at the moment.`, {
      object: this.name,
      cause: this.#book.error,
      hint: 'The status says why.',
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted; ) {
      const before = this.#book.lsn
      const error = await this.#follow()
      if (error === undefined || signal.aborted) {
        if (error !== undefined && !hasCode(error, 'ABORTED')) this.#stopFailed(error)
        break
      }
      const now = this.#context.clock.now()
      if (this.#book.lsn > before || this.#book.followedMs(now) > settledMs) failures = 0
      failures += 1
      this.#book.failed(error, failures === 1, now)
      this.#changed()
      const delayMs = hasCode(error, 'LEASE_HELD')
        ? leaseRetryMs
        : Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10))
      try {
        await this.#context.clock.sleep(delayMs, signal)
      } catch (thrown) {
        if (!signal.aborted) throw thrown
      }
    }
    await this.#countLeft()
    this.#become('stopped')
  }

  /** Until it ends; the answer is why, unless that was our stop. */
  async #follow(): Promise<HoldfastError | undefined> {
    this.#become('starting')
    this.#isLeftTold = false
    let hasBegun: (() => void) | undefined
    try {
      const { signal } = this.#stop
      hasBegun = await this.#context.mayStart(signal)
      throwIfAborted(signal)
      return await this.#followBy(hasBegun)
    } catch (thrown) {
      return toHoldfastError(thrown, this.#context.path)
    } finally {
      hasBegun?.()
      this.#worker = undefined
    }
  }

  async #followBy(hasBegun: () => void): Promise<HoldfastError | undefined> {
    const { name: database, path, storage, request, pool } = this.#context
    using place = pool.take()
    this.#worker = place.worker
    const starting = new AbortController()
    const giveUp = (): void => {
      if (!this.isFollowing) starting.abort()
    }
    this.#stop.signal.addEventListener('abort', giveUp, { once: true })
    try {
      const input = { path, database, storage, request }
      const onEvent = (event: CaptureEvent): void => {
        if (event.kind === 'started') hasBegun()
        this.#note(event)
      }
      const following = place.worker.call('follow', input, { signal: starting.signal, onEvent })
      this.#letGoWith(await abortable(following, starting.signal))
      if (this.#stop.signal.aborted) return undefined
      return new HoldfastError('ENGINE_DIED', `Following ${database} was ended by somebody else.`, { object: database })
    } finally {
      this.#stop.signal.removeEventListener('abort', giveUp)
    }
  }

  #note(event: CaptureEvent): void {
    this.#book.note(event, this.#context.clock.now())
    if (event.kind === 'started') this.#changed()
    this.#context.onEvent(event)
  }

  #become(state: FollowState): void {
    this.#book.become(state, this.#context.clock.now())
    this.#changed()
  }

  #changed(): void {
    for (const tell of this.#onChange.splice(0)) tell()
    this.#context.onState(this.facts)
  }
}
