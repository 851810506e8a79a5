import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import type { NamingPlace } from '../backup/identity.ts'
import { engineEntry } from '../engine/entry.ts'
import { type Engine, type EngineOptions, startEngine } from '../engine/host.ts'
import { parseOptions } from '../engine/parse-options.ts'
import type { StorageLink } from '../engine/storage-link.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { throwIfAborted } from '../util/abort.ts'
import type { CaptureStatus, StopOptions } from './capture.ts'
import type { CaptureEvent, Unsent } from './capture-events.ts'
import { type CaptureSignatures, captureApi, type FollowRequest, followRequest, stopOptions } from './engine-api.ts'

type EventOf<Kind extends CaptureEvent['kind']> = Omit<Extract<CaptureEvent, { kind: Kind }>, 'kind'>

/** Times are in milliseconds since 1970, durations in milliseconds. */
export interface LiveCaptureEvents {
  /** Following began anew in another way: the database was switched to, or away from, a write-ahead log. */
  started: [EventOf<'started'>]
  /** Commits were taken from the log: how many, and the last one's number and time. They are durable after the next `uploaded`. */
  commit: [EventOf<'commits'>]
  /** A segment with all commits up to `lsn` is durable in the repository; `lagMs` since its first commit was seen. */
  uploaded: [EventOf<'uploaded'>]
  /** Commits between two states cannot be restored one by one; both states can. */
  gap: [EventOf<'gap'>]
  warning: [EventOf<'warning'>]
  /** An upload or the database failed, and will be tried again. */
  retrying: [EventOf<'retrying'>]
  /** More waits for the repository than the spool may hold. */
  'spool-full': [EventOf<'spool-full'>]
  /** The log was handed back to the database, so that it can be reset; how long writers had to wait for that. */
  'handed-off': [EventOf<'handed-off'>]
  /** Following has ended, as asked, with so much left to upload at the next start. */
  stopped: [EventOf<'stopped'>]
  /** Following has ended because going on was impossible, or its process is gone. Follow again: it goes on from where it was. */
  error: [HoldfastError]
}

export interface LiveCaptureOptions extends Omit<FollowRequest, 'unnamedIn'> {
  /** Fires: the start is given up, or following stops without waiting for uploads. */
  readonly signal?: AbortSignal | undefined
}

/** @internal */
export interface CapturePlace {
  /** Path of the database, and its name in the repository. */
  readonly location: string
  readonly database: string
  /** That name was only made of the path: where the user could have given one. */
  readonly unnamedIn: NamingPlace | undefined
  readonly link: StorageLink
  readonly engine: Pick<EngineOptions, 'execPath' | 'graceMs'> | undefined
  /** Told of everything before the listeners are, and also of what was before there could be any. */
  readonly onEvent?: ((event: CaptureEvent) => void) | undefined
  /** Following has ended: as it was asked to, or by this failure. It has ended for others when this resolves; never rejects. */
  readonly onEnd?: ((failure: HoldfastError | undefined) => Promise<void>) | undefined
}

/**
 * A database being followed, by an engine process of its own: every commit becomes a restore point. Made by
 * `BackupManager.follow`. An `error` that nobody listens to becomes a warning of this process, and is thrown by `sync` and `stop`.
 *
 * @example
 * await using live = await backups.follow()
 * live.on('gap', ({ reason }) => console.warn(reason))
 * live.on('error', (error) => console.error(error.code, error.message))
 * await live.sync() // everything committed so far is in the repository
 */
export class LiveCapture extends EventEmitter<LiveCaptureEvents> implements AsyncDisposable {
  /** Name in the repository. */
  readonly database: string
  readonly #engine: Engine<CaptureSignatures>
  readonly #onEnd: CapturePlace['onEnd']
  readonly #ended = Promise.withResolvers<void>()
  #start: EventOf<'started'>
  #stopped: Promise<Unsent> | undefined
  #hasEnded = false
  #left: Unsent = { segments: 0, bytes: 0 }
  #failure: HoldfastError | undefined

  private constructor({ database, onEnd }: CapturePlace, engine: Engine<CaptureSignatures>, start: EventOf<'started'>) {
    super()
    this.database = database
    this.#engine = engine
    this.#start = start
    this.#onEnd = onEnd
  }

  /** @internal @throws LEASE_HELD, NAME_TAKEN, DATABASE_*, USAGE, STORAGE_*, DISK_FULL, ENGINE_DIED, ABORTED */
  static async follow(place: CapturePlace, { signal, ...options }: LiveCaptureOptions): Promise<LiveCapture> {
    const { location: path, database, unnamedIn, link } = place
    const stateFolder = absolute(options.stateFolder)
    const request = parseOptions(followRequest, { ...options, database, unnamedIn, stateFolder })
    throwIfAborted(signal)
    const engine = startEngine(engineEntry(import.meta.url, 'engine'), captureApi, {
      ...place.engine,
      handlers: link.handlers,
    })
    const started = Promise.withResolvers<EventOf<'started'>>()
    const held: CaptureEvent[] = []
    let tell = (event: CaptureEvent): void => void held.push(event)
    const onEvent = (event: CaptureEvent): void => {
      place.onEvent?.(event)
      if (event.kind === 'started') started.resolve(event)
      tell(event)
    }
    const input = { path, defaultName: database, storage: link.address, request }
    const following = engine.call('follow', input, { signal, onEvent })
    following.then(() => started.reject(endedByOthers(database)), started.reject)
    try {
      const start = await started.promise
      // Answered once it can be stopped in order.
      await engine.call('status', undefined)
      const live = new LiveCapture(place, engine, start)
      following.then(
        () => live.#end(live.#wasAsked(signal) ? undefined : endedByOthers(database)),
        (thrown) => live.#end(live.#failureOf(thrown, signal)),
      )
      // Who follows adds listeners first.
      setImmediate(() => {
        tell = (event) => live.#tell(event)
        for (const event of held.splice(0)) if (event.kind !== 'started') tell(event)
      })
      return live
    } catch (thrown) {
      await engine.close()
      throw toHoldfastError(thrown, path)
    }
  }

  /** How following began: with every commit, or with a delta at an interval for a database that has no write-ahead log. */
  get start(): EventOf<'started'> {
    return this.#start
  }

  get isFollowing(): boolean {
    return !this.#hasEnded && this.#stopped === undefined
  }

  /** Process id of the engine that follows. */
  get pid(): number | undefined {
    return this.#engine.pid
  }

  /**
   * Resolves when everything that was committed before the call is durable in the repository, with the LSN of that state.
   * @throws ABORTED if it was stopped, or the signal fires; else what made going on impossible
   */
  async sync({ signal }: OperationOptions = {}): Promise<Lsn> {
    this.#assertFollowing()
    return await this.#engine.call('sync', undefined, { signal })
  }

  /** Where it stands: the newest state that is kept, the newest in the repository, and what waits between. @throws as {@link sync} */
  async status(): Promise<CaptureStatus> {
    this.#assertFollowing()
    return await this.#engine.call('status', undefined)
  }

  /**
   * Takes what was committed, waits a while for its upload, and lets the database go. Says what is left in the spool, which the
   * next start uploads. @throws USAGE; what made going on impossible, if following had ended by itself
   */
  async stop(options: StopOptions = {}): Promise<Unsent> {
    const checked = parseOptions(stopOptions, options)
    this.#stopped ??= this.#stop(checked)
    return await this.#stopped
  }

  /** As {@link stop}; a failure that an `error` listener was told of is not thrown again. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop()
    } catch (error) {
      if (error !== this.#failure || this.listenerCount('error') === 0) throw error
    }
  }

  async #stop(options: StopOptions): Promise<Unsent> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#hasEnded) return this.#left
    try {
      const left = await this.#engine.call('stop', options)
      await this.#ended.promise
      return left
    } catch (thrown) {
      await this.#ended.promise
      if (this.#failure !== undefined) throw this.#failure
      // It was ending already, by the signal, and its process was gone before it could answer.
      if (hasCode(thrown, 'ENGINE_DIED')) return this.#left
      throw thrown
    }
  }

  #wasAsked(signal: AbortSignal | undefined): boolean {
    return signal?.aborted === true || this.#stopped !== undefined
  }

  #failureOf(thrown: unknown, signal: AbortSignal | undefined): HoldfastError | undefined {
    if (!hasCode(thrown, 'ABORTED')) return toHoldfastError(thrown, this.database)
    return this.#wasAsked(signal) ? undefined : endedByOthers(this.database, thrown)
  }

  async #end(failure: HoldfastError | undefined): Promise<void> {
    this.#hasEnded = true
    this.#failure = failure
    await this.#engine.close()
    await this.#onEnd?.(failure)
    this.#ended.resolve()
    if (failure === undefined) return
    if (this.listenerCount('error') > 0) this.#safely(() => this.emit('error', failure))
    else process.emitWarning(failure.message, { code: failure.code, detail: `Following ${this.database} has ended.` })
  }

  #tell(event: CaptureEvent): void {
    if (event.kind === 'started') this.#start = event
    else if (event.kind === 'stopped') this.#left = event.left
    this.#safely(() => {
      switch (event.kind) {
        case 'started':
          return this.emit('started', event)
        case 'commits':
          return this.emit('commit', event)
        case 'uploaded':
          return this.emit('uploaded', event)
        case 'gap':
          return this.emit('gap', event)
        case 'warning':
          return this.emit('warning', event)
        case 'retrying':
          return this.emit('retrying', event)
        case 'spool-full':
          return this.emit('spool-full', event)
        case 'handed-off':
          return this.emit('handed-off', event)
        case 'stopped':
          return this.emit('stopped', event)
      }
    })
  }

  /** What a listener throws is the application's own error, and must not end the capture. */
  #safely(work: () => unknown): void {
    try {
      work()
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown
      })
    }
  }

  #assertFollowing(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.isFollowing) throw new HoldfastError('ABORTED', `Following ${this.database} was stopped.`)
  }
}

function endedByOthers(database: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ENGINE_DIED', `The process that followed ${database} was asked to end by somebody else.`, {
    object: database,
    cause,
    hint: 'Follow again: it goes on from where it was.',
  })
}

/** Not a string, or an empty one, is the schema's to refuse. */
function absolute(folder: string | undefined): string | undefined {
  return typeof folder === 'string' && folder !== '' ? resolve(folder) : folder
}
