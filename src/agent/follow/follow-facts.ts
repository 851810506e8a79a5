/** What is known of a followed database, gathered from what its worker tells. */
import type { CaptureStatus } from '../../capture/capture.ts'
import type { CaptureEvent, CaptureStart, Unsent } from '../../capture/capture-events.ts'
import type { HoldfastError } from '../../errors.ts'
import { Lag } from './lag.ts'

export type FollowState = 'starting' | 'following' | 'waiting' | 'stopped'

/** What is known of a followed database without asking anybody. Times are in milliseconds since 1970. */
export interface FollowFacts {
  readonly state: FollowState
  /** Since when it is so; of what fails, and is tried again and again, since when that has lasted. */
  readonly since: number
  /** Why it waits for the next try; while that is under way, why the last one failed. */
  readonly error: HoldfastError | undefined
  readonly mode: 'commits' | 'deltas' | undefined
  readonly how: CaptureStart | undefined
  readonly lsn: number
  readonly durableLsn: number
  /** Since the oldest commit that is not in the repository yet was seen; 0 if there is none. */
  readonly lagMs: number
  readonly waiting: Unsent
  readonly commits: number
  readonly lastCommitAt: number | undefined
  readonly lastUploadAt: number | undefined
  /** What keeps the database from being followed just now, while its worker tries again and again. */
  readonly trouble: string | undefined
}

/** Has no clock of its own: every call says what time it is, in milliseconds since 1970. */
export class FollowBook {
  readonly #lag = new Lag()
  #state: FollowState = 'starting'
  /** When it came to be in that state. */
  #since: number
  #failingSince: number | undefined
  #error: HoldfastError | undefined
  #mode: FollowFacts['mode']
  #how: CaptureStart | undefined
  #lsn = 0
  #durableLsn = 0
  #commits = 0
  #logBytes = 0
  #trouble: { readonly message: string; readonly since: number } | undefined
  #lastCommitAt: number | undefined
  #lastUploadAt: number | undefined
  #left: Unsent = { segments: 0, bytes: 0 }

  constructor(now: number) {
    this.#since = now
  }

  get state(): FollowState {
    return this.#state
  }

  get isFollowing(): boolean {
    return this.#state === 'following'
  }

  get lsn(): number {
    return this.#lsn
  }

  /** What waits for the next start, as far as is known. */
  get left(): Unsent {
    return this.#left
  }

  get error(): HoldfastError | undefined {
    return this.#error
  }

  /** Bytes of the database's log, when last asked for. */
  get logBytes(): number {
    return this.#logBytes
  }

  /** For how long it has been followed; 0 if it is not. */
  followedMs(now: number): number {
    return this.isFollowing ? now - this.#since : 0
  }

  facts(now: number): FollowFacts {
    const trouble = this.isFollowing ? this.#trouble : undefined
    const isTriedAgain = this.#state === 'waiting' || this.#state === 'starting'
    return {
      state: this.#state,
      since: trouble?.since ?? (isTriedAgain ? this.#failingSince : undefined) ?? this.#since,
      error: this.#error,
      mode: this.#mode,
      how: this.#how,
      lsn: this.#lsn,
      durableLsn: this.#durableLsn,
      lagMs: this.#lag.at(now),
      waiting: this.#left,
      commits: this.#commits,
      lastCommitAt: this.#lastCommitAt,
      lastUploadAt: this.#lastUploadAt,
      trouble: trouble?.message,
    }
  }

  become(state: FollowState, now: number): void {
    if (this.#state !== state) this.#since = now
    this.#state = state
  }

  /** It waits for the next try. @param isNew whether it went well before; else the same failure goes on */
  failed(error: HoldfastError, isNew: boolean, now: number): void {
    if (isNew) this.#failingSince = now
    this.#error = error
    this.become('waiting', now)
  }

  /** A stop failed in another way than the end of following tells. */
  stopFailed(error: HoldfastError): void {
    this.#error = error
  }

  letGo(left: Unsent): void {
    this.#left = left
  }

  /** What a worker tells, when it is asked: also what its events, of which a death may have taken the last, did not tell. */
  noteStatus({ waiting, logBytes, lsn, durableLsn, trouble }: CaptureStatus, now: number): void {
    if (!this.isFollowing) return
    this.#setTrouble(trouble ?? undefined, now)
    this.#left = waiting
    this.#logBytes = logBytes
    this.#durableLsn = durableLsn
    this.#lag.uploaded(durableLsn)
    if (durableLsn < lsn && this.#lag.isNone) this.#lag.committed(lsn, now)
  }

  note(event: CaptureEvent, now: number): void {
    switch (event.kind) {
      case 'started':
        this.#mode = event.mode
        this.#how = event.how
        this.#lsn = event.lsn
        this.#durableLsn = event.lsn
        this.#error = undefined
        this.#trouble = undefined
        this.become('following', now)
        break
      case 'commits':
        this.#lsn = event.lsn
        this.#commits += event.count
        this.#trouble = undefined
        this.#lastCommitAt = event.time
        this.#lag.committed(event.lsn, now)
        break
      case 'uploaded':
        this.#durableLsn = event.lsn
        this.#lastUploadAt = now
        this.#lag.uploaded(event.lsn)
        break
      case 'retrying':
        // That it is over is told by the next status.
        if (event.what === 'database') this.#setTrouble(event.message, now)
        break
      case 'stopped':
        this.#left = event.left
        break
      default:
        break
    }
  }

  #setTrouble(message: string | undefined, now: number): void {
    this.#trouble = message === undefined ? undefined : { message, since: this.#trouble?.since ?? now }
  }
}
