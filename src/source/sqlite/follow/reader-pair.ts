import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../../../errors.ts'
import { throwIfAborted } from '../../../util/abort.ts'
import { type IndexReading, readIndex } from '../log/read-index.ts'
import { parseHorizon } from '../log/wal-index.ts'
import { Patience } from '../reader/patience.ts'
import type { Begun } from '../reader/protocol.ts'
import { Reader } from '../reader/reader.ts'
import { resultCode, sqliteCode } from '../sqlite-error.ts'

/** How long a thread that hosts several followers stands still for one of them. */
const sliceMs = 5
const pauseMs = 2

/** The log as it was just after a reader began: nothing that the reader's mark covers lies beyond. */
export interface Pin {
  readonly salts: Buffer
  readonly frame: number
  /** The file held everything when the reader began, so that it may stand on mark 0, which lets the log be reset. */
  readonly mayBeReset: boolean
  /** As mayBeReset, for certain. */
  readonly beganComplete: boolean
}

/**
 * Two read-only connections. The rule that keeps every frame: one of them always holds a read transaction, and before an
 * older one ends, every frame up to the younger one's mark has been taken.
 *
 * While a reader stands on mark M ≥ 1, the log cannot be reset, and checkpoints copy only frames ≤ M, all taken. A reader
 * that began when everything was copied stands on mark 0: no checkpoint may touch the file, so after at most one reset
 * (before any new frame) frames pile up in the log and wait for us.
 */
export class ReaderPair implements Disposable {
  readonly #sharedMemory: number
  #current: Reader
  #spare: Reader
  #pin: Pin | undefined

  private constructor(current: Reader, spare: Reader, sharedMemory: number) {
    this.#current = current
    this.#spare = spare
    this.#sharedMemory = sharedMemory
  }

  static async open(
    path: string,
    sharedMemory: () => number,
    waiting: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<{ readonly pair: ReaderPair; readonly engineVersion: string; readonly usesLog: boolean }> {
    const current = await retry((patience) => Reader.open(path, 'read-only', patience), waiting)
    try {
      const { engineVersion, usesLog } = current.describe()
      const spare = await retry((patience) => Reader.open(path, 'read-only', patience), waiting)
      // The `-shm` file stays in place while the connections are open.
      return { pair: new ReaderPair(current, spare, usesLog ? sharedMemory() : -1), engineVersion, usesLog }
    } catch (thrown) {
      current[Symbol.dispose]()
      throw thrown
    }
  }

  /** What the present reader is known to hold. */
  get pin(): Pin {
    if (this.#pin === undefined) throw new HoldfastError('INTERNAL', 'The follower has not begun to read.')
    return this.#pin
  }

  /**
   * The wal-index; undefined only if a writer died while it wrote the header, and SQLite cannot make it anew yet.
   */
  readIndex(): IndexReading | undefined {
    for (let attempt = 0; attempt < 50; attempt++) {
      const reading = readIndex(this.#sharedMemory)
      if (reading) return reading
    }
    // A reader that meets a broken header recovers it.
    if (this.#tryBegin() === undefined) return undefined
    this.#spare.end()
    return readIndex(this.#sharedMemory)
  }

  /** The first reader, which holds exactly the state of the horizon that is given back. */
  async beginExactly(waiting: { readonly waitMs: number; readonly signal: AbortSignal | undefined }): Promise<Begun> {
    const begun = await retry((patience) => this.#current.begin(this.#sharedMemory, patience), waiting)
    this.#pin = pinOf(begun)
    return begun
  }

  /** A younger reader beside the present one; undefined if SQLite is busy. Until {@link succeed}, both hold. */
  beginYounger(): Pin | undefined {
    return this.#tryBegin()
  }

  /** As {@link beginYounger}, but holding exactly the state of the horizon that is given back. */
  async beginYoungerExactly(waiting: {
    readonly waitMs: number
    readonly signal: AbortSignal | undefined
  }): Promise<{ readonly begun: Begun; readonly pin: Pin }> {
    const begun = await retry((patience) => this.#spare.begin(this.#sharedMemory, patience), waiting)
    return { begun, pin: pinOf(begun) }
  }

  /** The younger reader takes over. All frames up to its pin must have been taken. */
  succeed(pin: Pin): void {
    this.#current.end()
    const former = this.#current
    this.#current = this.#spare
    this.#spare = former
    this.#pin = pin
  }

  /** The log was reset, which mark 0 allows once: all that is in it now came after. */
  noteReset(salts: Buffer): void {
    this.#pin = { salts, frame: 0, mayBeReset: true, beganComplete: this.pin.beganComplete }
  }

  /** The younger reader gives way. */
  dropYounger(): void {
    this.#spare.end()
  }

  /**
   * Both are read-only: such a connection neither checkpoints nor deletes the log when it is the last to close, so frames
   * that were not taken stay where they are, and a later follower can go on.
   */
  [Symbol.dispose](): void {
    this.#spare[Symbol.dispose]()
    this.#current[Symbol.dispose]()
  }

  #tryBegin(): Pin | undefined {
    const before = readIndex(this.#sharedMemory)
    try {
      this.#spare.begin(undefined, new Patience(sliceMs, () => {}))
    } catch (thrown) {
      if (isBusy(thrown)) return undefined
      throw thrown
    }
    try {
      return this.#pinAfter(before)
    } catch (thrown) {
      this.#spare.end()
      throw thrown
    }
  }

  #pinAfter(before: IndexReading | undefined): Pin {
    for (let attempt = 0; attempt < 100_000; attempt++) {
      const after = readIndex(this.#sharedMemory)
      if (after === undefined) continue
      const { salts, lastFrame } = after.horizon
      const isSame = before?.header.equals(after.header) === true
      return {
        salts,
        frame: lastFrame,
        mayBeReset: lastFrame === 0 || after.backfilled >= lastFrame,
        beganComplete: isSame && before.backfilled >= lastFrame,
      }
    }
    throw new HoldfastError('DATABASE_BUSY', 'The index of the log is never whole.')
  }
}

function pinOf({ horizon }: Begun): Pin {
  // A database that is not in WAL mode is refused before it comes to this.
  if (horizon === undefined) throw new HoldfastError('DATABASE_CHANGED', 'The database left WAL mode.')
  const { salts, lastFrame } = parseHorizon(Buffer.from(horizon.header))
  const isComplete = horizon.backfilled >= lastFrame
  return { salts, frame: lastFrame, mayBeReset: isComplete, beganComplete: false }
}

/** Repeats in short slices, so that other followers of this process get their turn. */
async function retry<T>(
  attempt: (patience: Patience) => T,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const end = performance.now() + waitMs
  for (;;) {
    throwIfAborted(signal)
    try {
      return attempt(new Patience(Math.min(sliceMs, waitMs), () => {}))
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() >= end) throw thrown
    }
    await sleep(pauseMs)
  }
}

export function isBusy(thrown: unknown): boolean {
  if (thrown instanceof HoldfastError) return thrown.code === 'DATABASE_BUSY'
  const code = sqliteCode(thrown)
  return code === resultCode.busy || code === resultCode.protocol
}
