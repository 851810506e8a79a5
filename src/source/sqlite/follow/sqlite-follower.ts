import type {
  CommitReceiver,
  DatabaseFollower,
  DrainResult,
  FollowPosition,
  FollowStart,
  HandOffResult,
  LossReason,
} from '../../follower.ts'
import type { DatabaseDescriptors } from '../descriptors.ts'
import { explainError } from '../explain-error.ts'
import type { FileProbe } from '../file-probe.ts'
import { frameOffset, type LogFile } from '../log/page-map.ts'
import type { PendingReads } from '../pending-reads.ts'
import { isAudited } from './audit.ts'
import type { CommitStream, Taken } from './commit-stream.ts'
import { handOff } from './hand-off.ts'
import { type Look, type WatchFile, watchLog } from './log-watch.ts'
import { LostContinuity } from './lost-continuity.ts'
import type { ReaderPair } from './reader-pair.ts'
import { Roller } from './roller.ts'

export interface FollowerResources {
  readonly probe: FileProbe
  readonly descriptors: DatabaseDescriptors
  readonly log: LogFile
  readonly pair: ReaderPair
  readonly reads: PendingReads
  readonly pageSize: number
  readonly waiting: { readonly waitMs: number; readonly signal: AbortSignal | undefined }
  readonly watchFile: WatchFile | undefined
  readonly restMs: number | undefined
  readonly clock: () => number
  readonly resources: AsyncDisposableStack
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

/** See {@link DatabaseFollower}. */
export class SqliteFollower implements DatabaseFollower {
  readonly start: FollowStart
  readonly pageSize: number
  readonly #parts: FollowerResources
  readonly #begin: () => CommitStream
  #roller: Roller | undefined
  #lost: LossReason | undefined

  constructor(parts: FollowerResources, start: FollowStart, stream: CommitStream | (() => CommitStream)) {
    this.#parts = parts
    this.start = start
    this.pageSize = parts.pageSize
    this.#begin = typeof stream === 'function' ? stream : () => stream
  }

  get position(): FollowPosition {
    return this.#begin().position
  }

  get logBytes(): number {
    const reading = this.#parts.pair.readIndex()
    const isCopied = reading === undefined || reading.backfilled >= reading.horizon.lastFrame
    return isCopied ? 0 : frameOffset(reading.horizon.lastFrame + 1, this.pageSize)
  }

  get currentAt(): number | undefined {
    return this.#roller?.currentAt
  }

  get isCurrent(): boolean {
    return this.#roller?.isCurrent ?? false
  }

  async drain(receiver: CommitReceiver, options: Options = {}): Promise<DrainResult> {
    const { taken, lost } = await this.#following((roller, taken) => {
      roller.isCurrent = false
      return roller.drain(receiver, taken, options.signal)
    })
    return { ...taken, lost }
  }

  async handOff(
    receiver: CommitReceiver,
    options: Options & { readonly lockWaitMs?: number | undefined } = {},
  ): Promise<HandOffResult & DrainResult> {
    const none = { complete: false, obstacle: undefined, lockHeldMs: 0, framesBefore: 0, framesLeft: 0 }
    const { value, taken, lost } = await this.#following((roller, taken) => {
      roller.isCurrent = false
      return handOff(this.#parts.probe.path, { roller, receiver, taken, ...options })
    })
    return { ...(value ?? none), ...taken, lost }
  }

  async audit(receiver: CommitReceiver, options: Options = {}): Promise<DrainResult & { readonly equal: boolean }> {
    const { value, taken, lost } = await this.#following(async (roller, taken) => {
      const equal = await isAudited(this.#parts, roller, receiver, taken, options.signal)
      if (!equal) throw new LostContinuity('audit-failed', 'The pages of the database are not those of its commits.')
      return equal
    })
    return { equal: value ?? false, ...taken, lost }
  }

  async wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const { probe, pair, watchFile, restMs } = this.#parts
    const watched = { look: () => this.#look(), rest: () => pair.rest(), restMs }
    await watchLog(probe.path, watched, timeoutMs, signal, watchFile)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.resources.disposeAsync()
  }

  #look(): Look {
    if (this.#lost !== undefined) return 'unchanged'
    try {
      return this.#rollerOf().look()
    } catch (thrown) {
      throw explainError(thrown, this.#parts.probe)
    }
  }

  #rollerOf(): Roller {
    this.#roller ??= new Roller(this.#parts, this.#begin())
    return this.#roller
  }

  /** A loss is a result, not a failure: it is for the caller to begin anew and to record the gap. */
  async #following<T>(work: (roller: Roller, taken: Taken) => Promise<T>): Promise<{
    readonly value: T | undefined
    readonly taken: Taken
    readonly lost: LossReason | undefined
  }> {
    const taken = { commits: 0, bytes: 0 }
    if (this.#lost !== undefined) return { value: undefined, taken, lost: this.#lost }
    try {
      const value = await work(this.#rollerOf(), taken)
      return { value, taken, lost: undefined }
    } catch (thrown) {
      if (!(thrown instanceof LostContinuity)) throw explainError(thrown, this.#parts.probe)
      this.#lost = thrown.reason
      return { value: undefined, taken, lost: this.#lost }
    }
  }
}
