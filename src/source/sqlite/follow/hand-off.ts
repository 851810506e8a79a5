import type { CommitReceiver, HandOffResult } from '../../follower.ts'
import { frameHeaderBytes } from '../log/page-map.ts'
import { Checkpointer } from './checkpointer.ts'
import type { Taken } from './commit-stream.ts'
import type { Roller } from './roller.ts'

const defaultLockWaitMs = 20
/** Attempts at the lock block the thread; in between, what was committed meanwhile is taken. */
const attemptsMs = 2
/** The lock is given back after so long, unless the last checkpoint is under way, which cannot be stopped. */
const lockLimitMs = 50
/** Under the lock, how long another process may finish a checkpoint of its own. */
const othersMs = 20
/** What is wanted to be left for the time under the lock, and what is put up with after all passes. */
const wantedBytes = 2 << 20
const bearableBytes = 8 << 20
/** Checkpoints without the lock, each of what was committed during the one before. */
const passes = 6

export interface HandOffWork {
  readonly roller: Roller
  readonly receiver: CommitReceiver
  readonly taken: Taken
  readonly lockWaitMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Has every frame copied into the database and our reader on mark 0, so that the next writer starts the log afresh.
 *
 * PASSIVE checkpoints hold nobody up, but commits come in meanwhile; only for the last few is the write lock taken, for a
 * bounded time. RESTART and TRUNCATE would hold writers up without bound.
 */
export async function handOff(path: string, work: HandOffWork): Promise<HandOffResult> {
  const { roller } = work
  const framesBefore = framesOf(roller)
  using checkpointer = new Checkpointer(path)
  const isComplete = (await copyUnlocked(checkpointer, work)) && (await copyTheRest(checkpointer, work))
  return {
    complete: isComplete,
    lockHeldMs: checkpointer.heldMs,
    framesBefore,
    framesLeft: isComplete ? 0 : framesOf(roller),
  }
}

/** Copies until what is left is little; at least twice, because the first pass is the longest. */
async function copyUnlocked(checkpointer: Checkpointer, work: HandOffWork): Promise<boolean> {
  const { roller, taken, receiver, signal } = work
  for (let pass = 1; pass <= passes; pass++) {
    await roll(work)
    if (checkpointer.copy(attemptsMs)) return true
    // What SQLite must sync under the lock is what was written after this.
    await roller.syncLog()
    await roller.drain(receiver, taken, signal)
    if (pass > 1 && bytesToCopy(roller) <= wantedBytes) return true
  }
  return bytesToCopy(roller) <= bearableBytes
}

/**
 * The lock is needed even if everything has been copied: a writer in the midst of a transaction began to read before, off
 * mark 0, and would append to the log rather than start it afresh.
 */
async function copyTheRest(checkpointer: Checkpointer, work: HandOffWork): Promise<boolean> {
  const { roller, receiver, taken, signal, lockWaitMs = defaultLockWaitMs } = work
  const end = performance.now() + lockWaitMs
  while (!checkpointer.lock(Math.min(attemptsMs, lockWaitMs))) {
    if (performance.now() >= end) return false
    await roller.drain(receiver, taken, signal)
  }
  // A receiver that takes its time must not hold up the application.
  const limit = setTimeout(() => checkpointer.unlock(), lockLimitMs)
  try {
    // Nobody commits now: this takes all there is, and the younger reader stands at the end of the log.
    if (!(await roll(work)) || !checkpointer.isLocked) return false
    return checkpointer.copy(othersMs) && (await roll(work)) && roller.letsReset
  } finally {
    clearTimeout(limit)
    checkpointer.unlock()
  }
}

async function roll({ roller, receiver, taken, signal }: HandOffWork): Promise<boolean> {
  return roller.roll(receiver, taken, signal)
}

function bytesToCopy(roller: Roller): number {
  const reading = roller.readIndex()
  if (reading === undefined) return 0
  const { horizon, backfilled } = reading
  return (horizon.lastFrame - backfilled) * (frameHeaderBytes + horizon.pageSize)
}

function framesOf(roller: Roller): number {
  return roller.readIndex()?.horizon.lastFrame ?? 0
}
