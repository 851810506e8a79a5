import { type HoldfastError, toHoldfastError } from '../../errors.ts'
import type { AgentLog } from '../agent-log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import {
  observeEndedWorker,
  observeSilentWorkers,
  replacedKey,
  silenceLimitMs,
} from '../notify/conditions/silent-worker.ts'
import type { Observation } from '../notify/engine/advance.ts'
import type { Notifier } from '../notify/notifier.ts'
import { WorkerReplaced } from './worker-replaced.ts'
import type { SilentWorker } from './worker-watch.ts'

export interface HungWorkersContext {
  readonly now: () => number
  readonly log: Pick<AgentLog, 'error' | 'warn'>
  readonly metrics: Pick<Metrics, 'workerReplaced'>
  readonly notifier: Pick<Notifier, 'firing'>
  /** Ends a process at once. @throws the system's error */
  readonly kill: (pid: number, reason: HoldfastError) => void
  /** What a process has used of the processor; undefined where the system does not tell. */
  readonly cpuTime: (pid: number) => number | undefined
}

/** One that is at work, on a check of a huge database perhaps, may be silent for so much longer. */
const patience = 6
/** Each end within a day of the one before doubles the limit, up to so much. */
const longestLimitMs = 6 * 3_600_000
const forgiveMs = 24 * 3_600_000

interface Seen {
  /** The processor time when it fell silent. */
  readonly cpuTime: number | undefined
}

/** Ends workers that hang: whoever used one learns of its death, and asks for another. Capturing survives that at any moment. */
export class HungWorkers {
  readonly #context: HungWorkersContext
  readonly #seen = new Map<number, Seen>()
  #endedAt: number | undefined
  #timesEnded = 0

  constructor(context: HungWorkersContext) {
    this.#context = context
  }

  /**
   * Ends those that hang. To be called in each round.
   * @param silent all that owe an answer
   * @returns what is to be told: of one that was ended, that alone
   */
  look(silent: readonly SilentWorker[]): readonly Observation[] {
    const { now } = this.#context
    const pids = new Set(silent.map(({ pid }) => pid))
    for (const pid of this.#seen.keys()) if (!pids.has(pid)) this.#seen.delete(pid)
    const sinceLast = this.#endedAt === undefined ? 0 : now() - this.#endedAt
    if (sinceLast > forgiveMs || sinceLast < 0) this.#timesEnded = 0
    const told: Observation[] = []
    const left = silent.filter(({ pid, silentMs }) => {
      if (pid === undefined || !this.#hangs(pid, silentMs)) return true
      const ended = this.#end(pid, silentMs)
      told.push(...ended)
      return ended.length === 0
    })
    return [...observeSilentWorkers(left), ...told]
  }

  #hangs(pid: number, silentMs: number): boolean {
    const { cpuTime } = this.#context
    const seen = this.#seen.get(pid) ?? { cpuTime: cpuTime(pid) }
    this.#seen.set(pid, seen)
    const used = cpuTime(pid)
    // Where nobody tells whether it is at work, it may be.
    const isAtWork = used === undefined || seen.cpuTime === undefined || used > seen.cpuTime
    return silentMs > Math.min(longestLimitMs, silenceLimitMs * 2 ** this.#timesEnded * (isAtWork ? patience : 1))
  }

  /** Nothing is to be told of one that could not be ended. */
  #end(pid: number, silentMs: number): readonly Observation[] {
    const { kill, log, metrics, notifier, now } = this.#context
    const reason = new WorkerReplaced(pid, silentMs)
    try {
      kill(pid, reason)
    } catch (thrown) {
      log.error(`Worker process ${pid} hangs, and could not be ended. ${toHoldfastError(thrown).message}`, { pid })
      return []
    }
    this.#seen.delete(pid)
    this.#endedAt = now()
    this.#timesEnded += 1
    metrics.workerReplaced()
    // An alert is in the log when it begins; one that is on already says nothing of another worker.
    if (notifier.firing.some(({ key }) => key === replacedKey)) log.warn(reason.message, { pid })
    return observeEndedWorker(pid, silentMs)
  }
}
