import type { CaptureEvent } from '../../capture/capture-events.ts'
import { type ErrorCode, HoldfastError } from '../../errors.ts'
import { heldHint } from '../../util/held-hint.ts'
import type { AgentLog } from '../agent-log.ts'
import { failedEnd } from '../journal/ending.ts'
import type { Journal, OperationHandle } from '../journal/journal.ts'
import type { Operation, OperationEnd, OperationStart } from '../journal/operation.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { observeGap } from '../notify/conditions/following.ts'
import { observeOperation } from '../notify/conditions/operation.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import { WorkerReplaced } from '../worker/worker-replaced.ts'
import type { FollowFacts } from './follow-facts.ts'

export interface FollowWatchContext {
  /** As shown to people. */
  readonly repositoryName: string
  readonly journal: Journal
  readonly metrics: Metrics
  readonly notifier: Notifier
  readonly scheduler: Pick<Scheduler, 'notifyCommits' | 'notifyFollowed'>
  readonly log: AgentLog
  readonly now: () => number
  /** The restorable window of a database may be another. */
  readonly onWindow: (database: string) => void
  /** It is seen soon whether what fails since then does because the database was deleted. */
  readonly mayBeGone: (database: string, since: number) => boolean
}

/** Where another has the lease of a database. */
const againHint =
  'It is asked for again every ten seconds. Should another agent look after this database too, take it out of one of the two configurations.'

interface Span {
  readonly start: OperationStart
  readonly startedAt: number
  readonly handle: Promise<OperationHandle>
  readonly commitsBefore: number
}

/** Tells of what happens while databases are followed. */
export class FollowWatch {
  readonly #context: FollowWatchContext
  /** By database: the following that is recorded as under way. */
  readonly #spans = new Map<string, Span>()
  readonly #ending = new Set<Promise<void>>()
  /** Databases of which no log was uploaded since following began, or a gap. */
  readonly #fresh = new Set<string>()
  /** By database: why following failed last, since it was last followed. */
  readonly #failures = new Map<string, ErrorCode>()

  constructor(context: FollowWatchContext) {
    this.#context = context
  }

  event(database: string, event: CaptureEvent): void {
    const { metrics, notifier, scheduler, log, onWindow, now } = this.#context
    metrics.captured(database, event, now())
    switch (event.kind) {
      case 'started':
        log.info(`Following ${database}: ${howText[event.how]}.`, { lsn: event.lsn, mode: event.mode })
        scheduler.notifyFollowed(database, event.lsn)
        this.#fresh.add(database)
        onWindow(database)
        break
      case 'commits':
        scheduler.notifyCommits(database, { commits: event.count, bytes: event.bytes, lsn: event.lsn }, event.time)
        break
      case 'uploaded':
        // The first log after a new state begins a window.
        if (this.#fresh.delete(database)) onWindow(database)
        log.debug(`Uploaded commits of ${database}.`, { lsn: event.lsn, bytes: event.bytes, lagMs: event.lagMs })
        break
      case 'gap':
        notifier.observe(observeGap(database, event))
        this.#fresh.add(database)
        break
      case 'warning':
        log.warn(event.message, { database, hint: event.hint })
        break
      case 'retrying':
        log.warn(`${event.what === 'upload' ? 'An upload of' : 'Following'} ${database} failed. ${event.message}`, {
          nextTryInMs: event.delayMs,
          failures: event.failures,
        })
        break
      case 'spool-full':
        log.error(`The spool of ${database} is full.`, {
          bytes: event.bytes,
          limitBytes: event.limitBytes,
          action: event.action,
        })
        break
      case 'handed-off':
      case 'stopped':
        break
    }
  }

  state(database: string, facts: FollowFacts): void {
    const { state, error, commits, waiting } = facts
    if (state === 'following') this.#begin(database, commits)
    else if (state === 'waiting')
      this.#failed(database, error ?? new HoldfastError('INTERNAL', 'Following ended.'), facts)
    else if (state === 'stopped') {
      if (waiting.segments > 0)
        this.#context.log.warn(`Commits of ${database} are not in the repository yet: the next start uploads them.`, {
          segments: waiting.segments,
          bytes: waiting.bytes,
        })
      if (waiting.gaveUpAfter !== undefined)
        this.#context.log.error(`Commits of ${database} were not kept: the spool could not take them.`, {
          afterLsn: waiting.gaveUpAfter,
        })
      const end = error === undefined ? ({ outcome: 'succeeded' } as const) : interrupted(error)
      this.#end(database, end, commits)
      this.#fresh.delete(database)
      this.#failures.delete(database)
    }
  }

  /** Whatever was committed is still in the database's log, or on this machine: the next start goes on from there. */
  stopFailed(database: string, error: HoldfastError): void {
    this.#context.log.error(`Following ${database} did not end in order. ${error.message}`, {
      code: error.code,
      hint: error.hint,
    })
  }

  /** Resolves when everything that ended is recorded. */
  async idle(): Promise<void> {
    await Promise.all(this.#ending)
  }

  #begin(database: string, commitsBefore: number): void {
    const { journal, repositoryName, notifier, now } = this.#context
    this.#failures.delete(database)
    if (this.#spans.has(database)) return
    const start: OperationStart = { kind: 'follow', database, repository: repositoryName, trigger: 'schedule' }
    const span = { start, startedAt: now(), handle: journal.begin(start), commitsBefore }
    this.#spans.set(database, span)
    notifier.observe(observeOperation(asOperation(span, { outcome: 'succeeded' }, now())))
  }

  #failed(database: string, error: HoldfastError, { commits, since }: FollowFacts): void {
    const { log, repositoryName, journal, now, mayBeGone } = this.#context
    if (error instanceof WorkerReplaced) {
      // That is told of all databases of a worker at once.
      log.debug(`Following ${database} goes on with another worker. ${error.message}`)
      this.#end(database, interrupted(error), commits)
      return
    }
    if (error.code === 'DATABASE_NOT_FOUND' && mayBeGone(database, since)) {
      log.debug(`Following ${database} failed, and will be tried again. ${error.message}`)
      return
    }
    const isSame = this.#failures.get(database) === error.code
    // Another agent's lease is asked for every few seconds, perhaps for years.
    log[isSame ? 'debug' : 'error'](`Following ${database} failed, and will be tried again. ${error.message}`, {
      code: error.code,
      hint: error.hint === heldHint ? againHint : error.hint,
    })
    this.#failures.set(database, error.code)
    if (this.#spans.has(database)) {
      this.#end(database, failedEnd(error), commits)
      return
    }
    // What fails again and again is one entry in the history.
    if (isSame) return
    const start: OperationStart = { kind: 'follow', database, repository: repositoryName, trigger: 'schedule' }
    this.#spans.set(database, { start, startedAt: now(), handle: journal.begin(start), commitsBefore: commits })
    this.#end(database, failedEnd(error), commits)
  }

  #end(database: string, end: OperationEnd, commits: number): void {
    const span = this.#spans.get(database)
    if (span === undefined) return
    this.#spans.delete(database)
    const { metrics, notifier, now } = this.#context
    const told = { ...end, figures: { commits: commits - span.commitsBefore } }
    const operation = asOperation(span, told, now())
    metrics.operationEnded(operation)
    notifier.observe(observeOperation(operation))
    const ending = span.handle.then((handle) => handle.end(told)).finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }
}

const howText = {
  first: 'its first state is stored',
  resumed: 'it goes on where it was left, with no commit missing',
  unchanged: 'unchanged since its newest kept state',
  healed: 'what changed since its newest kept state is stored',
} as const

function interrupted(error: HoldfastError): OperationEnd {
  return { ...failedEnd(error), outcome: 'interrupted' }
}

function asOperation({ start, startedAt }: Span, end: OperationEnd, endedAt: number): Operation {
  return { ...start, ...end, database: start.database, id: '', startedAt, endedAt }
}
