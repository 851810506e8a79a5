/**
 * Follows a database that has no write-ahead log. Nothing tells of its single commits; at an interval, if its file changed, what
 * differs is stored as a delta by page hashes. Each delta is a restore point, and what lay between is a recorded gap.
 */
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { FollowPosition } from '../source/follower.ts'
import type { BackupSource, OpenSnapshotOptions, SourceSnapshot } from '../source/source.ts'
import { type Begun, beginFollowing, type Numbers } from './begin-following.ts'
import type { GapReason } from './gap-reasons.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import { noLogPosition } from './no-log-position.ts'
import type { SyncRequest } from './requests.ts'
import type { Session } from './session.ts'
import { spoolLimitReached } from './spool/relieve-spool.ts'

/** A state that the database cannot leave while it is held. */
export interface StandingState {
  readonly state: HistoryEnd
  readonly snapshot: SourceSnapshot
}

export class RollbackCapture {
  readonly #session: Session
  readonly #numbers: Numbers
  #known: KnownHistory
  #version: string | undefined
  #seenAt: number | undefined
  #lastLook: Promise<unknown> = Promise.resolve()
  #hasEnded = false
  readonly logBytes = 0
  /** What the spool cannot take is looked at again later: nothing is given up. */
  readonly gaveUpAfter = undefined
  #trouble: string | undefined

  private constructor(session: Session, { known, seenAt, version }: Taken, numbers: Numbers) {
    this.#session = session
    this.#known = known
    this.#seenAt = seenAt
    this.#numbers = numbers
    this.#version = version
  }

  static async start(
    session: Session,
    known: KnownHistory | undefined,
    numbers: Numbers,
    reason: GapReason,
    signal: AbortSignal | undefined,
  ): Promise<RollbackCapture> {
    const { source, settings } = session
    await using snapshot = await source.openSnapshot({ busyTimeoutMs: settings.busyTimeoutMs, signal })
    const taken = await take(session, snapshot, known, numbers, undefined, reason, signal)
    if (taken === undefined) throw switchedMeanwhile(session.source.location)
    const { lsn, time } = taken.known.end
    settings.onEvent({ kind: 'started', mode: 'deltas', how: taken.how, lsn, time })
    return new RollbackCapture(session, taken, numbers)
  }

  get end(): HistoryEnd {
    return this.#known.end
  }

  get known(): KnownHistory {
    return this.#known
  }

  get numbers(): Numbers {
    return this.#numbers
  }

  /** When the newest state that is kept was seen to be the present one the last time. */
  get keptUntil(): number | undefined {
    return this.#seenAt
  }

  /**
   * Follows until it is asked to stop, or the database has got a log: then its single commits can be followed.
   * @throws what cannot be helped by trying again
   */
  async run(): Promise<'stopped' | 'has-log'> {
    try {
      return await this.#run()
    } finally {
      this.#hasEnded = true
    }
  }

  /**
   * Takes the newest state, and holds it until the snapshot is disposed of; writers wait as long. Whoever wants to know which state it is
   * needs no second look: a writer that waits for the end of one reader lets no other one begin.
   * @returns undefined if the database has a log by now, or following ends
   * @throws DATABASE_BUSY, DISK_FULL if the spool is full, and as of a follower
   */
  async hold(options: OpenSnapshotOptions): Promise<StandingState | undefined> {
    return await this.#inTurn(async () => {
      const { spool, source } = this.#session
      if (this.#hasEnded) return undefined
      if (spool.isBroken || this.#isSpoolFull) throw spoolLimitReached()
      await using stack = new AsyncDisposableStack()
      const snapshot = stack.use(await source.openSnapshot(options))
      if (!(await this.#take(snapshot, options.signal))) return undefined
      this.#trouble = undefined
      stack.move()
      return { state: this.end, snapshot }
    })
  }

  /** Why the database could not be looked at the last time; undefined if it could. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  async #run(): Promise<'stopped' | 'has-log'> {
    const { requests, settings } = this.#session
    for (let failures = 0; ; ) {
      const syncs = requests.takeSyncs()
      const { stopping } = requests
      try {
        const seen = await this.#inTurn(() => this.#look())
        if (seen === 'has-log') {
          requests.putBack(syncs)
          return 'has-log'
        }
        failures = 0
        this.#trouble = undefined
        if (seen === 'taken') this.#session.uploader.answer(syncs, this.end.lsn)
        else this.#putOff(syncs)
        if (stopping) return 'stopped'
      } catch (thrown) {
        requests.putBack(syncs)
        const error = toHoldfastError(thrown, this.#session.source.location)
        if (hasCode(error, 'INTERNAL', 'USAGE', 'LEASE_HELD', 'LEASE_LOST')) throw error
        if (stopping) return 'stopped'
        failures += 1
        this.#say(error, failures)
        // A wish that cannot be fulfilled now must not make this a busy loop.
        await this.#sleep(settings.deltaIntervalMs, requests.stopSignal)
        continue
      }
      await this.#sleep(settings.deltaIntervalMs, requests.wakeSignal)
    }
  }

  get #isSpoolFull(): boolean {
    const { spool, settings } = this.#session
    return spool.bytes > settings.spoolLimitBytes
  }

  /** One at a time: each builds on what the former one took. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastLook.then(work)
    this.#lastLook = done.catch(() => {})
    return done
  }

  async #look(): Promise<'taken' | 'no-room' | 'has-log'> {
    const { spool, source, settings, requests } = this.#session
    if (spool.isBroken) return (await this.#startOver()) ? 'taken' : 'has-log'
    if (this.#isSpoolFull) return 'no-room'
    const { stopSignal } = requests
    const signal = stopSignal.aborted ? undefined : stopSignal
    await using snapshot = await source.openSnapshot({ busyTimeoutMs: settings.busyTimeoutMs, signal })
    return (await this.#take(snapshot, signal)) ? 'taken' : 'has-log'
  }

  /** False if the database has a log by now. */
  async #take(snapshot: SourceSnapshot, signal: AbortSignal | undefined): Promise<boolean> {
    const taken = await take(this.#session, snapshot, this.#known, this.#numbers, this.#version, 'no-log', signal)
    if (taken === undefined) return false
    const { lsn, time } = taken.known.end
    if (lsn > this.#known.end.lsn) this.#session.settings.onEvent({ kind: 'commits', count: 1, bytes: 0, lsn, time })
    this.#known = taken.known
    this.#seenAt = taken.seenAt
    this.#version = taken.version
    return true
  }

  /** What waited in the spool is lost: goes on from the repository's newest state. */
  async #startOver(): Promise<boolean> {
    const { requests, source, settings } = this.#session
    const signal = requests.stopSignal
    const known = await this.#session.startOver(signal)
    await using snapshot = await source.openSnapshot({ busyTimeoutMs: settings.busyTimeoutMs, signal })
    const taken = await take(this.#session, snapshot, known, this.#numbers, undefined, 'spool-damaged', signal)
    if (taken === undefined) return false
    this.#known = taken.known
    this.#seenAt = taken.seenAt
    this.#version = taken.version
    return true
  }

  /** What was committed before them was not looked at: they wait until the spool has room again. */
  #putOff(syncs: readonly SyncRequest[]): void {
    const { requests, uploader } = this.#session
    requests.putOff(syncs, spoolLimitReached())
    if (syncs.length === 0) return
    const lookAgain = (): void => requests.wake()
    uploader.whenSettled().then(lookAgain, lookAgain)
  }

  #say({ message }: HoldfastError, failures: number): void {
    const { settings } = this.#session
    const delayMs = settings.deltaIntervalMs
    this.#trouble = message
    settings.onEvent({ kind: 'retrying', what: 'database', message, delayMs, failures })
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#session.settings.clock.sleep(milliseconds, signal)
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    }
  }
}

/** Whether the database is one without a write-ahead log: then reading it makes its writers wait. */
export async function hasNoLog(source: BackupSource, signal: AbortSignal | undefined): Promise<boolean> {
  await using snapshot = await source.openSnapshot({ signal })
  return snapshot.blocksWriters
}

type Taken = Begun & { readonly version: string | undefined }

/** Undefined if the database has a log: its file tells of no commit then (file format, section 1.3.9). */
async function take(
  session: Session,
  snapshot: SourceSnapshot,
  known: KnownHistory | undefined,
  numbers: Numbers,
  version: string | undefined,
  reason: GapReason,
  signal: AbortSignal | undefined,
): Promise<Taken | undefined> {
  if (!snapshot.blocksWriters) return undefined
  const now = await versionOf(snapshot, signal)
  const { pageSize, pageCount, capturedAt } = snapshot
  if (known !== undefined && now !== undefined && now === version)
    return { known, how: 'unchanged', seenAt: capturedAt, version }
  const start = {
    kind: 'anew',
    reason: undefined,
    missed: false,
    pageSize,
    pageCount,
    capturedAt,
    pages: (options?: { readonly signal?: AbortSignal | undefined }) => snapshot.pages(options),
    begin: async () => {},
  } as const
  const position = (): FollowPosition => noLogPosition(pageSize, pageCount)
  const begun = await beginFollowing(session, { start, position, blocksWriters: true }, known, numbers, reason, signal)
  return { ...begun, version: now }
}

/** The change counter alone would not tell of another file that has been written to as often. */
async function versionOf(snapshot: SourceSnapshot, signal: AbortSignal | undefined): Promise<string | undefined> {
  const counter = await changeCounter(snapshot, signal)
  return counter === undefined ? undefined : `${counter} ${snapshot.fileStamp ?? ''}`
}

/** Bytes 24 to 27 of the file: changed by every commit in rollback mode (file format, section 1.3.9). */
async function changeCounter(snapshot: SourceSnapshot, signal: AbortSignal | undefined): Promise<number | undefined> {
  for await (const { pages, values } of snapshot.pages({ signal })) {
    if (pages[0] !== 1) return undefined
    return new DataView(values.buffer, values.byteOffset, 28).getUint32(24)
  }
  return undefined
}

function switchedMeanwhile(location: string): HoldfastError {
  return new HoldfastError('DATABASE_CHANGED', `${location} was switched to a write-ahead log in this very moment.`, {
    object: location,
    hint: 'Follow it again.',
  })
}
