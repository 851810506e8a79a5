import { setTimeout as sleep } from 'node:timers/promises'
import type { CommitReceiver, HandOffResult } from '../../follower.ts'
import { frameHeaderBytes } from '../log/page-map.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import { Brake, type BrakePace } from './brake.ts'
import { Checkpointer, type Copied } from './checkpointer.ts'
import type { Taken } from './commit-stream.ts'
import type { Roller } from './roller.ts'

const defaultLockWaitMs = 50
/** Attempts at the lock block the thread; in between, what was committed meanwhile is taken. */
const attemptsMs = 2
/** The lock is given back after so long, unless the last checkpoint is under way, which cannot be stopped. */
const lockLimitMs = 20
/** How long another process may take for a checkpoint of its own: without the lock, and under it. */
const othersMs = 30
const othersUnderLockMs = 2
/**
 * The lock is got most easily while a fast writer checkpoints, and then nothing can be copied: it is given back, and tried
 * again once that checkpoint is done. The last time, its end is waited for under the lock.
 */
const lockAttempts = 4
const lastOthersUnderLockMs = 20
/** What is wanted to be left for the time under the lock: twice as much in each further pass, up to what can be borne. */
const wantedBytes = 512 << 10
const bearableBytes = 2 << 20
/** Checkpoints without the lock, each of what was committed during the one before; and how long before other work gets its turn. */
const passes = 8
const passesMs = 1000
/** If it has not come to an end after so many, writers are slowed down: else what they commit during one takes the next as long. */
const freePasses = 1
/** How far writers may be ahead before they are slowed down. */
const brakeBytes = 8 << 20
/** For a log that is shorter nobody is slowed down: bursts are free. */
const burstBytes = 64 << 20

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
 * bounded time. What takes long under it is to have pages flushed to disk; so all but the last few are flushed before.
 * RESTART and TRUNCATE would hold writers up without bound.
 */
export async function handOff(path: string, work: HandOffWork): Promise<HandOffResult> {
  const { roller } = work
  const framesBefore = framesOf(roller)
  using checkpointer = new Checkpointer(path)
  const obstacle = (await copyUnlocked(checkpointer, work)) ?? (await copyLocked(checkpointer, work))
  return {
    complete: obstacle === undefined,
    obstacle,
    lockHeldMs: checkpointer.longestMs,
    framesBefore,
    framesLeft: obstacle === undefined ? 0 : framesOf(roller),
  }
}

type Obstacle = HandOffResult['obstacle']

/**
 * Copies and flushes until little was committed meanwhile. The flush comes last: what SQLite must flush under the lock is then
 * no more than what is copied under it. (Not even a checkpoint of everything has flushed the database, if there was a commit
 * meanwhile.)
 */
async function copyUnlocked(checkpointer: Checkpointer, work: HandOffWork): Promise<Obstacle> {
  const { roller } = work
  const end = performance.now() + passesMs
  let left = 0
  for (let pass = 1; pass <= passes && performance.now() < end; pass++) {
    const ahead = Math.max(roller.bytesToTake, left)
    const braked = async (act: () => Promise<unknown>) => {
      const isHeld = logBytes(roller) > burstBytes && (ahead > brakeBytes || pass > freePasses)
      using _ = isHeld ? new Brake(checkpointer, paceOf(ahead)) : undefined
      await act()
    }
    await braked(() => rollOrDrain(work))
    const mark = roller.pair.pin
    const copied = await copyBesideOthers(checkpointer, work)
    if (copied === 'some' && isHeldBack(roller, mark)) {
      if (pass > 2) return obstacleOf(checkpointer)
      await sleep(attemptsMs)
    }
    left = bytesToCopy(roller)
    if (left > brakeBytes) continue
    await braked(() => flushWhileTaking(work))
    left = bytesToCopy(roller)
    if (left <= Math.min(bearableBytes, wantedBytes * 2 ** (pass - 1))) return undefined
  }
  return left <= bearableBytes ? undefined : 'writers'
}

/**
 * The further ahead writers are, the less they are let go on: else they might stay ahead for ever. None is held up for longer at
 * a stretch than the lock is to be held.
 */
function paceOf(aheadBytes: number): BrakePace {
  const strength = Math.max(1, aheadBytes / brakeBytes)
  return { heldMs: 8, freeMs: Math.max(1, 5 / strength ** 2) }
}

async function copyLocked(checkpointer: Checkpointer, work: HandOffWork): Promise<Obstacle> {
  for (let attempt = 1; attempt < lockAttempts; attempt++) {
    const obstacle = await copyTheRest(checkpointer, work, othersUnderLockMs)
    if (obstacle !== 'checkpoint') return obstacle
    await roll(work)
    if ((await copyBesideOthers(checkpointer, work)) === 'busy') return 'writers'
  }
  const obstacle = await copyTheRest(checkpointer, work, lastOthersUnderLockMs)
  return obstacle === 'checkpoint' ? 'writers' : obstacle
}

/**
 * The lock is needed even if everything has been copied: a writer in the midst of a transaction began to read before, off
 * mark 0, and would append to the log rather than start it afresh.
 */
async function copyTheRest(
  checkpointer: Checkpointer,
  work: HandOffWork,
  othersMs: number,
): Promise<Obstacle | 'checkpoint'> {
  const { roller, receiver, taken, signal, lockWaitMs = defaultLockWaitMs } = work
  const end = performance.now() + lockWaitMs
  while (!checkpointer.lock(Math.min(attemptsMs, lockWaitMs))) {
    if (performance.now() >= end) return 'writers'
    await roller.drain(receiver, taken, signal)
  }
  // A receiver that takes its time must not hold up the application.
  const limit = setTimeout(() => checkpointer.unlock(), lockLimitMs)
  try {
    // Nobody commits now: this takes all there is, and the younger reader stands at the end of the log.
    if (!(await roll(work)) || !checkpointer.isLocked || bytesToCopy(roller) > 2 * bearableBytes) return 'writers'
    const copied = checkpointer.copy(othersMs)
    if (copied !== 'all') return copied === 'some' ? 'reader' : 'checkpoint'
    return (await roll(work)) && roller.letsReset ? undefined : 'writers'
  } finally {
    clearTimeout(limit)
    checkpointer.unlock()
  }
}

/** Who stands on an old mark: a writer in a long transaction, or somebody who only reads. */
function obstacleOf(checkpointer: Checkpointer): Obstacle {
  if (!checkpointer.lock(attemptsMs)) return 'writers'
  checkpointer.unlock()
  return 'reader'
}

/** An application that commits fast checkpoints almost all the time, and commits nothing meanwhile. */
async function copyBesideOthers(checkpointer: Checkpointer, work: HandOffWork): Promise<Copied> {
  const { roller, receiver, taken, signal } = work
  const end = performance.now() + othersMs
  for (;;) {
    const copied = checkpointer.copy(attemptsMs)
    if (copied !== 'busy' || performance.now() >= end) return copied
    await roller.drain(receiver, taken, signal)
    await sleep(1)
  }
}

/** What SQLite must flush under the lock is what is written after this. */
async function flushWhileTaking({ roller, receiver, taken, signal }: HandOffWork): Promise<void> {
  const [flushed, drained] = await Promise.allSettled([roller.flush(), roller.drain(receiver, taken, signal)])
  for (const { reason } of [flushed, drained].filter((result) => result.status === 'rejected')) throw reason
}

async function roll({ roller, receiver, taken, signal }: HandOffWork): Promise<boolean> {
  return roller.roll(receiver, taken, signal)
}

/** At the least, all that was committed before the call is taken. */
async function rollOrDrain(work: HandOffWork): Promise<void> {
  const { roller, receiver, taken, signal } = work
  if (!(await roll(work))) await roller.drain(receiver, taken, signal)
}

/** Frames before our mark cannot be copied: somebody reads an older state. */
function isHeldBack(roller: Roller, mark: { readonly salts: Buffer; readonly frame: number }): boolean {
  const reading = roller.readIndex()
  if (reading === undefined || !reading.horizon.salts.equals(mark.salts)) return false
  return reading.backfilled < mark.frame
}

function bytesToCopy(roller: Roller): number {
  const reading = roller.readIndex()
  return reading === undefined ? 0 : bytesAfter(reading.backfilled, reading.horizon)
}

function logBytes(roller: Roller): number {
  const reading = roller.readIndex()
  return reading === undefined ? 0 : bytesAfter(0, reading.horizon)
}

function bytesAfter(frame: number, { lastFrame, pageSize }: LogHorizon): number {
  return (lastFrame - frame) * (frameHeaderBytes + pageSize)
}

function framesOf(roller: Roller): number {
  return roller.readIndex()?.horizon.lastFrame ?? 0
}
