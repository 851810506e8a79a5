import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, hasCode } from '../../../errors.ts'
import { throwIfAborted } from '../../../util/abort.ts'
import { type IndexReading, readCopyingBegun, readIndex } from '../log/read-index.ts'
import { type LogHorizon, parseHorizon } from '../log/wal-index.ts'
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
  /**
   * It began when everything had been copied. So it stands on mark 0; for certain if the write lock was held and the copying was
   * ours. Otherwise, whoever had just copied may have been about to let go of that mark's lock, and it stands beside: then the log
   * is not reset before it is renewed. No commit depends on which it is.
   */
  readonly beganComplete: boolean
}

export interface ReadFile {
  /** Symbolic links resolved. */
  readonly path: string
  /** @throws DATABASE_CHANGED if another file is there now */
  readonly requireSame: () => void
}

interface Waiting {
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Two read-only connections, the second only as long as it is needed now and then: each takes memory. The rule that keeps every
 * frame: one of them always holds a read transaction, and before an older one ends, every frame up to the younger one's mark has
 * been taken.
 *
 * While a reader stands on mark M ≥ 1, the log cannot be reset, and checkpoints copy only frames ≤ M, all taken. A reader
 * that began when everything was copied stands on mark 0: no checkpoint may touch the file, so after at most one reset
 * (before any new frame) frames pile up in the log and wait for us.
 */
export class ReaderPair implements Disposable {
  readonly #file: ReadFile
  readonly #sharedMemory: number
  #current: Reader
  #spare: Reader | undefined
  #pin: Pin | undefined

  private constructor(current: Reader, file: ReadFile, sharedMemory: number) {
    this.#current = current
    this.#file = file
    this.#sharedMemory = sharedMemory
  }

  static async open(
    file: ReadFile,
    sharedMemory: () => number,
    waiting: Waiting,
  ): Promise<{ readonly pair: ReaderPair; readonly engineVersion: string; readonly usesLog: boolean }> {
    const current = await retry((patience) => openReader(file, patience), waiting)
    try {
      const { engineVersion, usesLog } = current.describe()
      // The `-shm` file stays in place while the connection is open.
      return { pair: new ReaderPair(current, file, usesLog ? sharedMemory() : -1), engineVersion, usesLog }
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
    this.dropYounger()
    return readIndex(this.#sharedMemory)
  }

  /** What of the horizon's log has been copied into the database file; undefined if that is not the log any more. */
  copiedOf({ salts, lastFrame }: LogHorizon): 'nothing' | 'perhaps' | undefined {
    const copyingBegun = readCopyingBegun(this.#sharedMemory)
    const reading = this.readIndex()
    if (reading === undefined || !reading.horizon.salts.equals(salts)) return undefined
    return lastFrame === 0 || (copyingBegun === 0 && reading.backfilled === 0) ? 'nothing' : 'perhaps'
  }

  /** The first reader, which holds exactly the state of the horizon that is given back. */
  async beginExactly(waiting: Waiting): Promise<Begun> {
    const begun = await retry((patience) => this.#current.begin(this.#sharedMemory, patience), waiting)
    this.#pin = pinOf(begun)
    return begun
  }

  /** A younger reader beside the present one; undefined if SQLite is busy. Until {@link succeed}, both hold. */
  beginYounger(): Pin | undefined {
    return this.#tryBegin()
  }

  /** As {@link beginYounger}, but holding exactly the state of the horizon that is given back. */
  async beginYoungerExactly(waiting: Waiting): Promise<{ readonly begun: Begun; readonly pin: Pin }> {
    const begun = await retry((patience) => this.#opened(patience).begin(this.#sharedMemory, patience), waiting)
    return { begun, pin: pinOf(begun) }
  }

  /** The younger reader takes over. All frames up to its pin must have been taken. */
  succeed(pin: Pin): void {
    if (this.#spare === undefined) throw new HoldfastError('INTERNAL', 'There is no younger reader.')
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
    this.#spare?.end()
  }

  /** Lets go of what is not needed while nothing happens. Not while a younger reader holds. */
  rest(): void {
    this.#spare?.[Symbol.dispose]()
    this.#spare = undefined
  }

  /**
   * Both are read-only: such a connection neither checkpoints nor deletes the log when it is the last to close, so frames
   * that were not taken stay where they are, and a later follower can go on.
   */
  [Symbol.dispose](): void {
    this.rest()
    this.#current[Symbol.dispose]()
  }

  #tryBegin(): Pin | undefined {
    const before = readIndex(this.#sharedMemory)
    try {
      const patience = new Patience(sliceMs, () => {})
      this.#opened(patience).hold(patience)
    } catch (thrown) {
      // That the file was replaced is told by whoever looks at it next.
      if (isBusy(thrown) || hasCode(thrown, 'DATABASE_CHANGED')) return undefined
      throw thrown
    }
    try {
      return this.#pinAfter(before)
    } catch (thrown) {
      this.dropYounger()
      throw thrown
    }
  }

  #opened(patience: Patience): Reader {
    this.#spare ??= openReader(this.#file, patience)
    return this.#spare
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

/** SQLite opens the path by itself: a reader of another file would hold nothing of ours. @throws DATABASE_CHANGED */
function openReader({ path, requireSame }: ReadFile, patience: Patience): Reader {
  using opened = new DisposableStack()
  try {
    const reader = opened.use(Reader.open(path, 'read-only', patience, 'kept'))
    requireSame()
    opened.move()
    return reader
  } catch (thrown) {
    if (!isBusy(thrown)) requireSame()
    throw thrown
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
async function retry<T>(attempt: (patience: Patience) => T, { waitMs, signal }: Waiting): Promise<T> {
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
