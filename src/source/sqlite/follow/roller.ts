import { fdatasync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import type { CommitReceiver } from '../../follower.ts'
import { type DatabaseDescriptors, fileIdentity } from '../descriptors.ts'
import type { FileProbe } from '../file-probe.ts'
import { frameHeaderBytes, type LogFile } from '../log/page-map.ts'
import type { IndexReading } from '../log/read-index.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import type { CommitStream, Taken } from './commit-stream.ts'
import type { Look } from './log-watch.ts'
import { LostContinuity } from './lost-continuity.ts'
import type { Pin, ReaderPair } from './reader-pair.ts'

/**
 * After so many frames the reader is renewed under load, so that the application's checkpoints get on. As many as SQLite
 * itself lets pass between checkpoints: each costs the application two fsyncs, and with a reader renewed after every commit
 * it would checkpoint, and sync, at every commit.
 */
const rollFrames = 1000
const sync = promisify(fdatasync)

/** Without a commit for so long, the reader is renewed too: a checkpoint that waits for it must not wait long. */
const quietMs = 8

export interface RollerParts {
  readonly probe: FileProbe
  readonly descriptors: DatabaseDescriptors
  readonly log: LogFile
  readonly pair: ReaderPair
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** Drains, and renews the reader under the rule of {@link ReaderPair}. */
export class Roller {
  readonly #parts: RollerParts
  readonly #pair: ReaderPair
  readonly stream: CommitStream
  #quietSince = Number.POSITIVE_INFINITY
  #currentAt: number | undefined
  isCurrent = false

  constructor(parts: RollerParts, stream: CommitStream) {
    this.#parts = parts
    this.#pair = parts.pair
    this.stream = stream
  }

  /** Takes every commit up to the present horizon. @throws LostContinuity */
  async drain(receiver: CommitReceiver, taken: Taken, signal?: AbortSignal): Promise<void> {
    this.#requireSameFiles()
    const before = taken.bytes
    await this.#takeAll(receiver, taken, signal)
    const isIdle = taken.bytes === before
    if (isIdle ? this.#lags() : this.#framesSinceRoll() >= rollFrames) await this.roll(receiver, taken, signal)
  }

  /**
   * Begins a younger reader, takes all up to its mark, ends the older one.
   * @returns false if SQLite is too busy for it
   * @throws LostContinuity
   */
  async roll(receiver: CommitReceiver, taken: Taken, signal?: AbortSignal): Promise<boolean> {
    const pin = this.#pair.beginYounger()
    if (pin === undefined) return false
    return this.takeOver(pin, () => this.#takeAll(receiver, taken, signal))
  }

  /** Lets the younger reader take over once `take` has taken all up to its mark; not if that says false. */
  async takeOver(pin: Pin, take: () => Promise<boolean>): Promise<boolean> {
    let isTaken = false
    try {
      isTaken = (await take()) && this.#covers(pin)
    } finally {
      if (isTaken) this.#succeed(pin)
      else this.#pair.dropYounger()
    }
    return isTaken
  }

  /** Takes a horizon that was read while our reader holds the log: its frames stay. @throws LostContinuity */
  async takeHorizon(
    { horizon }: Pick<IndexReading, 'horizon'>,
    receiver: CommitReceiver,
    taken: Taken,
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      this.#noteLateReset(horizon)
      await this.stream.takeFormer(receiver, taken, signal)
      const { place } = this.stream
      if (!horizon.salts.equals(place.salts)) this.#acceptReset(horizon.salts)
      else if (horizon.lastFrame < place.frame) {
        const { lastFrame } = horizon
        throw new LostContinuity('frames-vanished', `The log ends at frame ${lastFrame}, before ${place.frame}.`)
      }
      if (horizon.lastFrame === this.stream.place.frame) return
      await this.stream.takeUpTo(horizon.lastFrame, receiver, taken, signal)
    } catch (thrown) {
      throw thrown instanceof LostContinuity ? this.#explained(thrown) : thrown
    }
  }

  /**
   * After an absence our reader may begin on mark 0 with commits before it that have not been taken: then the log may be reset
   * before they are. It ended where our reader stands, since nothing was copied from then on.
   */
  #noteLateReset({ salts }: LogHorizon): void {
    const { pin } = this.#pair
    const { place } = this.stream
    const isLate = pin.mayBeReset && pin.salts.equals(place.salts) && place.frame < pin.frame
    if (!isLate || salts.equals(place.salts)) return
    this.stream.leave({ lastFrame: pin.frame, next: salts, fileMayBeAheadUntil: 0 })
    this.#pair.noteReset(salts)
  }

  /** Has what was written to log and database so far flushed to disk, off this thread. */
  async flush(): Promise<void> {
    // Windows does not flush by a descriptor that only reads; there, the checkpoint itself does all of it.
    if (process.platform === 'win32') return
    await sync(this.#parts.log.descriptor)
    await sync(this.#parts.descriptors.database)
  }

  /** Bytes of the log that were committed and not taken yet. */
  get bytesToTake(): number {
    const reading = this.#pair.readIndex()
    if (reading === undefined || !reading.horizon.salts.equals(this.stream.place.salts)) return 0
    return (reading.horizon.lastFrame - this.stream.place.frame) * (frameHeaderBytes + reading.horizon.pageSize)
  }

  /** See {@link DatabaseFollower.currentAt}. */
  get currentAt(): number | undefined {
    return this.#currentAt
  }

  readIndex(): IndexReading | undefined {
    return this.#pair.readIndex()
  }

  get pair(): ReaderPair {
    return this.#pair
  }

  /** Whether the present reader stands on mark 0 with everything taken, so that the next writer may reset the log. */
  get letsReset(): boolean {
    return this.#pair.pin.beganComplete && this.#framesSinceRoll() === 0
  }

  /** Whether there is something to take; renews the reader when all has been quiet for a while. */
  look(): Look {
    const at = this.#parts.clock()
    const reading = this.#pair.readIndex()
    if (reading === undefined) return 'soon'
    // An empty log with other salts was reset, and holds no commit.
    const isEmpty = reading.horizon.lastFrame === 0 && this.#mayBeReset()
    if ((!this.stream.isAt(reading.horizon) && !isEmpty) || !this.#areFilesSame()) {
      this.#quietSince = Number.POSITIVE_INFINITY
      return 'changed'
    }
    this.#currentAt = at
    if (!this.#lags(reading)) {
      this.#quietSince = Number.POSITIVE_INFINITY
      return 'unchanged'
    }
    this.#quietSince = Math.min(this.#quietSince, performance.now())
    if (performance.now() - this.#quietSince >= quietMs) this.#rollWhenIdle()
    return 'soon'
  }

  /** Nothing is there to be taken, so no receiver is needed; if a commit comes in between, nothing is done. */
  #rollWhenIdle(): void {
    const pin = this.#pair.beginYounger()
    if (pin === undefined) return
    if (pin.frame === this.stream.place.frame && pin.salts.equals(this.stream.place.salts)) this.#succeed(pin)
    else this.#pair.dropYounger()
    this.#quietSince = Number.POSITIVE_INFINITY
  }

  /** False if the horizon cannot be known at present. */
  async #takeAll(receiver: CommitReceiver, taken: Taken, signal?: AbortSignal): Promise<boolean> {
    const at = this.#parts.clock()
    const reading = this.#pair.readIndex()
    if (reading === undefined) return false
    await this.takeHorizon(reading, receiver, taken, signal)
    this.#currentAt = at
    this.isCurrent = true
    return true
  }

  #covers(pin: Pin): boolean {
    const { salts, frame } = this.stream.place
    // Another log than the pin's: it was reset after the younger reader began, so all of the former one had been taken.
    return !salts.equals(pin.salts) || frame >= pin.frame
  }

  #succeed(pin: Pin): void {
    this.#pair.succeed(pin)
    const { salts } = this.stream.place
    if (!salts.equals(pin.salts)) this.#pair.noteReset(salts)
  }

  #framesSinceRoll(): number {
    const { pin } = this.#pair
    const { salts, frame } = this.stream.place
    return salts.equals(pin.salts) ? frame - pin.frame : frame
  }

  /** The reader stands behind what was taken, or off mark 0 although everything has been copied. */
  #lags(reading: IndexReading | undefined = this.#pair.readIndex()): boolean {
    if (this.#framesSinceRoll() > 0) return true
    if (reading === undefined || reading.horizon.lastFrame === 0) return false
    return reading.backfilled >= reading.horizon.lastFrame && !this.#pair.pin.beganComplete
  }

  #mayBeReset(): boolean {
    return this.#pair.pin.mayBeReset && this.#framesSinceRoll() === 0
  }

  /** A reset is what mark 0 allows, once, and only at the frame that the reader began at. Anything else lost commits. */
  #acceptReset(salts: Buffer): void {
    if (!this.#mayBeReset()) throw new LostContinuity('log-reset', 'The log was reset under our reader.')
    this.stream.restart(salts)
    this.#pair.noteReset(salts)
  }

  /** Frames that cannot be read may have been overwritten by a reset: only after an absence, see openSqliteFollower. */
  #explained(loss: LostContinuity): LostContinuity {
    const reading = this.#pair.readIndex()
    const isReset = reading !== undefined && !reading.horizon.salts.equals(this.stream.place.salts)
    return isReset ? new LostContinuity('log-reset', 'The log was reset before it was taken.') : loss
  }

  #requireSameFiles(): void {
    if (this.#areFilesSame()) return
    throw new LostContinuity('file-replaced', `${this.#parts.probe.location} is another file now.`)
  }

  #areFilesSame(): boolean {
    const stats = statSync(this.#parts.probe.location, { throwIfNoEntry: false })
    return stats !== undefined && fileIdentity(stats) === this.#parts.descriptors.identity
  }
}
