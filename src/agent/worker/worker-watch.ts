import type { CaptureStatus } from '../../capture/capture.ts'
import type { Clock } from '../../capture/clock.ts'
import { hasCode, toHoldfastError } from '../../errors.ts'
import type { AgentLog } from '../agent-log.ts'
import type { Worker } from './worker-pool.ts'

export interface WorkerWatchContext {
  readonly workers: () => readonly Worker[]
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly log: Pick<AgentLog, 'warn'>
  /** How the databases are that a worker follows, by name. */
  readonly onStatus: (status: Readonly<Record<string, CaptureStatus>>) => void
}

/** An answer takes this long when a worker is busy; a later one counts too, and nobody waits for it. */
const waitMs = 5_000

/** A clock that jumps, and a machine that slept, add no more than this: the worker slept too, or no time went by at all. */
const mostStepMs = 60_000

/** A worker that has not answered for so long, in milliseconds. */
export interface SilentWorker {
  readonly pid: number | undefined
  readonly silentMs: number
}

interface Owed {
  silentMs: number
  /** When that was counted. */
  countedAt: number
}

/** Asks the workers how the followed databases are. One that hangs holds nobody up, and shows. */
export class WorkerWatch {
  readonly #context: WorkerWatchContext
  /** For how long each worker owes an answer. */
  readonly #asked = new Map<Worker, Owed>()

  constructor(context: WorkerWatchContext) {
    this.#context = context
  }

  /** Resolves when all have answered, or time is up. */
  async ask(): Promise<void> {
    const { workers, clock } = this.#context
    this.#count()
    const answers = workers().map((worker) => (this.#asked.has(worker) ? undefined : this.#ask(worker)))
    const timer = new AbortController()
    const answered = Promise.all(answers).then(() => timer.abort())
    const timeUp = clock.sleep(waitMs, timer.signal).catch((thrown: unknown) => {
      if (!timer.signal.aborted) throw thrown
    })
    await Promise.race([answered, timeUp])
  }

  get silent(): readonly SilentWorker[] {
    this.#count()
    return [...this.#asked].map(([{ pid }, { silentMs }]) => ({ pid, silentMs }))
  }

  #count(): void {
    const now = this.#context.clock.now()
    for (const owed of this.#asked.values()) {
      owed.silentMs += Math.min(mostStepMs, Math.max(0, now - owed.countedAt))
      owed.countedAt = now
    }
  }

  async #ask(worker: Worker): Promise<void> {
    const { clock, log, onStatus } = this.#context
    this.#asked.set(worker, { silentMs: 0, countedAt: clock.now() })
    try {
      onStatus(await worker.call('status', undefined))
    } catch (thrown) {
      // Whoever follows something there learns of its death, and says so.
      if (!hasCode(thrown, 'ENGINE_DIED', 'ABORTED'))
        log.warn(`A worker could not say how its databases are. ${toHoldfastError(thrown).message}`, {
          worker: worker.pid,
        })
    } finally {
      this.#asked.delete(worker)
    }
  }
}
