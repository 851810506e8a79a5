import { type HoldfastError, toHoldfastError } from '../../errors.ts'
import { settledWithin } from '../../util/settled-within.ts'
import type { AgentLog } from '../agent-log.ts'
import type { HookConfig } from '../config/config.ts'
import { afterHooks } from '../hooks/after-hooks.ts'
import { runHooks } from '../hooks/run-hooks.ts'
import { type Ending, endOf, failedEnd, withWarnings } from '../journal/ending.ts'
import type { Journal } from '../journal/journal.ts'
import type { Operation, OperationEnd, OperationStart } from '../journal/operation.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { observeOperation } from '../notify/conditions/operation.ts'
import type { Heartbeat } from '../notify/heartbeat.ts'
import type { Notifier } from '../notify/notifier.ts'

/** To record that an operation begins or has ended takes less, in milliseconds, unless others hold the journal: that is not waited for. */
const recordMs = 300

export interface OperationsContext {
  readonly journal: Journal
  readonly metrics: Metrics
  readonly notifier: Notifier
  readonly heartbeats: () => readonly Heartbeat[]
  readonly log: AgentLog
  readonly now: () => number
  /** After each operation, for what looks at the repository's state. */
  readonly onEnded: (operation: Operation) => void
  /** Whether a database is not looked after any more. */
  readonly hasGone: (database: string) => Promise<boolean>
}

export interface Surroundings {
  readonly hooks: readonly HookConfig[]
  /** Of the database. */
  readonly path?: string | undefined
  readonly signal: AbortSignal
}

export interface RunningOperation extends OperationStart {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Why it waits, in a sentence; undefined while it is at work. */
  readonly waiting: string | undefined
}

/** Tells why work waits, or, with undefined, that it goes on. */
export type OnWait = (reason: string | undefined) => void

/** What the agent does, each with its hooks, and told to whom it concerns: journal, metrics, alerts, heartbeats and log. */
export class Operations {
  readonly #context: OperationsContext
  readonly #running = new Set<RunningOperation>()

  constructor(context: OperationsContext) {
    this.#context = context
  }

  /** Those of which a hook runs, too. */
  get running(): readonly RunningOperation[] {
    return [...this.#running]
  }

  /**
   * @returns how it ended; undefined if a hook asked to skip it
   * @throws what the work throws, HOOK_FAILED, ABORTED; all of that is told already
   */
  async run(
    start: OperationStart,
    surroundings: Surroundings,
    work: (signal: AbortSignal, onWait: OnWait) => Promise<Ending>,
  ): Promise<OperationEnd | undefined> {
    const running = { ...start, startedAt: this.#context.now(), waiting: undefined as string | undefined }
    const onWait: OnWait = (reason) => {
      running.waiting = reason
      if (reason !== undefined)
        this.#context.log.info(`${nameOf(start)}: waits. ${reason}`, { schedule: start.schedule })
    }
    this.#running.add(running)
    try {
      return await this.#run(start, surroundings, (signal) => work(signal, onWait))
    } finally {
      this.#running.delete(running)
    }
  }

  async #run(
    start: OperationStart,
    surroundings: Surroundings,
    work: (signal: AbortSignal) => Promise<Ending>,
  ): Promise<OperationEnd | undefined> {
    const { journal, log, now } = this.#context
    const { hooks, path, signal } = surroundings
    const { kind: operation, database, repository, type, trigger, schedule } = start
    const asked = { operation, database, path, repository, type, trigger, schedule }
    const before = await runHooks(hooks, { ...asked, moment: 'before' }, { signal })
    for (const warning of before.warnings) log.warn(warning, { database })
    if (before.decisive?.verdict === 'skip') {
      log.info(before.decisive.reason, { database, schedule })
      return undefined
    }
    const startedAt = now()
    const handle = journal.beginNow(start)
    await settledWithin(handle.recorded, recordMs)
    const heartbeats = this.#context
      .heartbeats()
      .filter((each) => each.concerns(start))
      .map((each) => ({ heartbeat: each, run: each.started() }))
    let failure: HoldfastError | undefined
    let end: OperationEnd
    try {
      if (before.decisive?.verdict === 'failed') throw before.decisive.error
      end = endOf(await work(signal))
    } catch (thrown) {
      failure = toHoldfastError(thrown, database)
      end = await this.#failed(failure, start)
    }
    const endedAt = now()
    end = withWarnings(end, await afterHooks(end, { hooks, asked, durationMs: endedAt - startedAt }))
    await settledWithin(handle.end(end), recordMs)
    const ended: Operation = { ...start, ...end, database: end.database ?? database, id: handle.id, startedAt, endedAt }
    this.#tell(ended, failure)
    const said = failure === undefined ? '' : log.since(startedAt)
    for (const { heartbeat, run } of heartbeats) heartbeat.ended(run, ended, said)
    if (failure !== undefined) throw failure
    return end
  }

  /** That there is no backup of what is not there any more says nothing that its going away does not say. */
  async #failed(failure: HoldfastError, { kind, database }: OperationStart): Promise<OperationEnd> {
    const end = failedEnd(failure)
    if (kind !== 'backup' || database === undefined || end.outcome !== 'failed') return end
    if (!(await this.#context.hasGone(database))) return end
    return { ...end, outcome: 'interrupted', message: `${database} is not looked after any more. ${end.message}` }
  }

  #tell(operation: Operation, failure: HoldfastError | undefined): void {
    const { metrics, notifier, log, onEnded } = this.#context
    metrics.operationEnded(operation)
    notifier.observe(observeOperation(operation))
    const { outcome, message, warnings = [], backupId, startedAt, endedAt, schedule, code } = operation
    const what = nameOf(operation)
    const fields = { durationMs: endedAt - startedAt, schedule, backup: backupId, code, hint: failure?.hint }
    if (outcome === 'succeeded') log.info(`${what}: done.`, fields)
    else if (outcome === 'failed') log.error(`${what}: failed. ${message ?? ''}`, fields)
    else log.warn(`${what}: ${outcome}. ${message ?? ''}`, fields)
    for (const warning of warnings) log.warn(`${what}: ${warning}`, { schedule })
    onEnded(operation)
  }
}

/** `backup (full) of app`, for people. */
export function nameOf({ kind, type, database }: Pick<OperationStart, 'kind' | 'type' | 'database'>): string {
  return `${kind}${type === undefined ? '' : ` (${type})`}${database === undefined ? '' : ` of ${database}`}`
}
