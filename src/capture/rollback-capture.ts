/**
 * Follows a database that has no write-ahead log. Nothing tells of its single commits; at an interval, if its change counter moved, what
 * differs is stored as a delta by page hashes. Each delta is a restore point, and what lay between is a recorded gap.
 */
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { FollowPosition } from '../source/follower.ts'
import type { BackupSource, SourceSnapshot } from '../source/source.ts'
import { type Begun, beginFollowing, type Numbers } from './begin-following.ts'
import type { GapReason } from './gap-reasons.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import { noLogPosition } from './no-log-position.ts'
import type { SyncRequest } from './requests.ts'
import type { Session } from './session.ts'

export class RollbackCapture {
  readonly #session: Session
  readonly #numbers: Numbers
  #known: KnownHistory
  #counter: number | undefined
  readonly logBytes = 0

  private constructor(session: Session, known: KnownHistory, numbers: Numbers, counter: number | undefined) {
    this.#session = session
    this.#known = known
    this.#numbers = numbers
    this.#counter = counter
  }

  static async start(
    session: Session,
    known: KnownHistory | undefined,
    numbers: Numbers,
    reason: GapReason,
    signal: AbortSignal | undefined,
  ): Promise<RollbackCapture> {
    const taken = await take(session, known, numbers, undefined, reason, signal)
    if (taken === undefined) throw switchedMeanwhile(session.source.location)
    const { lsn, time } = taken.known.end
    session.settings.onEvent({ kind: 'started', mode: 'deltas', how: taken.how, lsn, time })
    return new RollbackCapture(session, taken.known, numbers, taken.counter)
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

  /**
   * Follows until it is asked to stop, or the database has got a log: then its single commits can be followed.
   * @throws what cannot be helped by trying again
   */
  async run(): Promise<'stopped' | 'has-log'> {
    const { requests, settings } = this.#session
    for (let failures = 0; ; ) {
      const syncs = requests.takeSyncs()
      const { stopping } = requests
      try {
        if (!(await this.#look())) {
          requests.putBack(syncs)
          return 'has-log'
        }
        failures = 0
        this.#answer(syncs)
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

  /** False if the database has a log by now. */
  async #look(): Promise<boolean> {
    const { spool, settings, requests } = this.#session
    if (spool.isBroken) return await this.#startOver()
    if (spool.bytes > settings.spoolLimitBytes) return true
    const { stopSignal } = requests
    const signal = stopSignal.aborted ? undefined : stopSignal
    const taken = await take(this.#session, this.#known, this.#numbers, this.#counter, 'no-log', signal)
    if (taken === undefined) return false
    const { lsn, time } = taken.known.end
    if (lsn > this.#known.end.lsn) {
      settings.onEvent({ kind: 'commits', count: 1, bytes: 0, lsn, time })
      this.#session.states.note(taken.known.end)
    }
    this.#known = taken.known
    this.#counter = taken.counter
    return true
  }

  /** What waited in the spool is lost: goes on from the repository's newest state. */
  async #startOver(): Promise<boolean> {
    const signal = this.#session.requests.stopSignal
    const known = await this.#session.startOver(signal)
    const taken = await take(this.#session, known, this.#numbers, undefined, 'spool-damaged', signal)
    if (taken === undefined) return false
    this.#known = taken.known
    this.#counter = taken.counter
    return true
  }

  #answer(syncs: readonly SyncRequest[]): void {
    const { lsn } = this.#known.end
    for (const { resolve, reject } of syncs) this.#session.uploader.whenDurable(lsn).then(resolve, reject)
  }

  #say({ message }: HoldfastError, failures: number): void {
    const { settings } = this.#session
    const delayMs = settings.deltaIntervalMs
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

/** Undefined if the database has a log: its change counter tells of no commit then (file format, section 1.3.9). */
async function take(
  session: Session,
  known: KnownHistory | undefined,
  numbers: Numbers,
  counter: number | undefined,
  reason: GapReason,
  signal: AbortSignal | undefined,
): Promise<(Begun & { readonly counter: number | undefined }) | undefined> {
  const { source, settings } = session
  await using snapshot = await source.openSnapshot({ busyTimeoutMs: settings.busyTimeoutMs, signal })
  if (!snapshot.blocksWriters) return undefined
  const now = await changeCounter(snapshot, signal)
  if (known !== undefined && now !== undefined && now === counter) return { known, how: 'unchanged', counter }
  const { pageSize, pageCount, capturedAt } = snapshot
  const start = {
    kind: 'anew',
    reason: undefined,
    pageSize,
    pageCount,
    capturedAt,
    pages: (options?: { readonly signal?: AbortSignal | undefined }) => snapshot.pages(options),
    begin: async () => {},
  } as const
  const position = (): FollowPosition => noLogPosition(pageSize, pageCount)
  const begun = await beginFollowing(session, { start, position }, known, numbers, reason, signal)
  return { ...begun, counter: now }
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
