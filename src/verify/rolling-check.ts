/** The part of a verification that takes time: as many objects as its budget allows, over all databases, the longest wait first. */
import type { SegmentInfo } from '../history/segment-info.ts'
import type { VerificationLedger } from '../repository/verification-ledger.ts'
import { chooseNext } from './choose-next.ts'
import type { Clocks } from './clocks.ts'
import type { DatabaseVerification } from './database-verification.ts'
import type { Memory } from './remember.ts'
import type { VerifyOptions } from './verify-options.ts'

/** One object to check, of one of the databases. */
interface Task {
  readonly key: string
  readonly part: DatabaseVerification
  readonly segment?: SegmentInfo
}

export interface RollingRun {
  readonly parts: readonly DatabaseVerification[]
  readonly options: VerifyOptions
  readonly memory: Memory
  readonly clocks: Clocks
  /** Nothing is begun from then on, by the monotonic clock. */
  readonly deadline: number
}

/** Every stored byte of some segments. Returns how many were left for a later run. */
export async function checkSegments(run: RollingRun): Promise<number> {
  const tasks = run.parts.flatMap((part) => part.segments.map((segment) => ({ key: segment.key, part, segment })))
  const chosen = choose(run, tasks, 'segments')
  const total = chosen.reduce((sum, { segment }) => sum + segment.bytes, 0)
  let before = 0
  const left = await work(run, tasks, chosen, async ({ part, segment }) => {
    await part.checkSegment(segment, (done) =>
      run.options.onProgress?.({ phase: 'data', done: before + done, total, unit: 'bytes' }),
    )
    before += segment.bytes
  })
  for (const part of run.parts) part.recallSegments()
  return left
}

/** Trial restores of some backups. Returns how many were left for a later run. */
export async function checkRestores(run: RollingRun): Promise<number> {
  const tasks = run.parts.flatMap((part) => part.backups.map(({ id }) => ({ key: id, part })))
  const chosen = choose(run, tasks, 'restores')
  let done = 0
  const tell = () => run.options.onProgress?.({ phase: 'restore', done, total: chosen.length, unit: 'objects' })
  const left = await work(run, tasks, chosen, async ({ part, key }) => {
    tell()
    await part.tryRestore(key)
    done += 1
  })
  tell()
  for (const part of run.parts) part.recallRestores()
  return left
}

function choose<T extends Task>(
  { options, clocks }: RollingRun,
  tasks: readonly T[],
  of: keyof Pick<VerificationLedger, 'segments' | 'restores'>,
): T[] {
  const owners = new Map(tasks.map(({ key, part }) => [key, part]))
  const history = {
    checkedAt: (key: string) => owners.get(key)?.lookedAt(of, key),
    waitingSince: (key: string) => owners.get(key)?.ledger.waiting[key],
  }
  return chooseNext(history, tasks, { subset: options.subset ?? 1, now: new Date(clocks.now()).toISOString() })
}

async function work<T extends Task>(
  { memory, clocks, deadline, options }: RollingRun,
  tasks: readonly T[],
  chosen: readonly T[],
  check: (task: T) => Promise<void>,
): Promise<number> {
  const left = new Set(tasks)
  // What is written down first: a run that is killed must not make them begin to wait anew.
  for (const { part, key } of tasks) part.awaits(key)
  for (const task of chosen) {
    if (clocks.monotonic() >= deadline) break
    options.signal?.throwIfAborted()
    await check(task)
    left.delete(task)
    await memory.note(task.part)
  }
  return left.size
}
