/** What the agent looks at now and then, for all databases at once: so that many idle ones cost next to nothing. */
import { hasCode, toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import { awayCodes } from './away-codes.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { FreshnessBook } from './freshness-book.ts'
import type { Metrics } from './metrics/metrics.ts'
import { observeLag, observeSpool, observeTrouble } from './notify/conditions/following.ts'
import type { Observation } from './notify/engine/advance.ts'
import type { Notifier } from './notify/notifier.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import type { HungWorkers } from './worker/hung-workers.ts'
import type { WorkerWatch } from './worker/worker-watch.ts'

export interface RoundsContext {
  readonly repository: Pick<Repository, 'database'>
  readonly databases: () => readonly AgentDatabase[]
  /** Those that went away and are expected back: their backups become overdue. */
  readonly away: () => readonly AgentDatabase[]
  /** It is seen soon whether what troubles a database since then is that it was deleted. */
  readonly mayBeGone: (database: string, since: number) => boolean
  readonly workers: Pick<WorkerWatch, 'ask' | 'silent'>
  readonly hungWorkers: Pick<HungWorkers, 'look'>
  readonly scheduler: Pick<Scheduler, 'list'>
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  readonly metrics: Metrics
  readonly freshness: Pick<FreshnessBook, 'get' | 'lastBackupAt' | 'observe' | 'window'>
  readonly log: Pick<AgentLog, 'warn'>
  readonly now: () => number
  readonly disks: Pick<DiskWatch, 'look'>
}

export class Rounds {
  readonly #context: RoundsContext
  /** Where the repository is asked first, so that one of which it cannot be asked does not hide those behind it. */
  #firstAsked = 0

  constructor(context: RoundsContext) {
    this.#context = context
  }

  /** What this machine tells comes first: a repository that is away takes its time to say so. */
  async make(signal: AbortSignal): Promise<void> {
    const { databases, notifier, workers, hungWorkers, disks } = this.#context
    await workers.ask()
    notifier.observe([
      ...databases().flatMap((database) => this.#lookAtFollowing(database)),
      ...hungWorkers.look(workers.silent),
      ...(await disks.look()),
    ])
    await this.#askRepository(signal)
  }

  /** Puts figures that change by themselves into the metrics. */
  measure(): void {
    const { databases, scheduler, notifier, metrics, freshness, now } = this.#context
    for (const database of databases()) {
      const { name, followed } = database
      const newest = freshness.get(name)?.newestBackupAt
      const madeAt = freshness.lastBackupAt(name)
      if (madeAt !== undefined) metrics.setLastSuccess(name, 'backup', madeAt)
      if (followed === undefined) continue
      const window = freshness.window(database, now())
      metrics.setWindow(name, window)
      metrics.setNewestState(name, Math.max(window?.toTime ?? 0, newest ?? 0) || undefined)
      const { lagMs, durableLsn, waiting } = followed.facts
      const [spoolBytes, spoolSegments] = [waiting.bytes, waiting.segments]
      metrics.setFollowed(name, { lagMs, durableLsn, walBytes: followed.logBytes, spoolBytes, spoolSegments })
    }
    // A mirror has schedules too.
    const names = new Set(databases().map(({ name }) => name))
    for (const { database, schedule, due } of scheduler.list())
      if (names.has(database)) metrics.setNextDue(database, schedule.id, due)
    metrics.setAlerts(notifier.firing)
  }

  #lookAtFollowing({ name, config, followed }: AgentDatabase): readonly Observation[] {
    if (followed === undefined) return []
    const { lagMs, waiting, trouble, since } = followed.facts
    const isToBeSeen = trouble !== undefined && this.#context.mayBeGone(name, since)
    const limitBytes = config.follow?.spoolLimitBytes ?? Number.POSITIVE_INFINITY
    return [
      ...(isToBeSeen ? [] : observeTrouble(name, trouble)),
      ...observeLag(name, lagMs, config.lagLimitMs),
      ...observeSpool(name, waiting.bytes, limitBytes),
    ]
  }

  async #askRepository(signal: AbortSignal): Promise<void> {
    const { databases, away, repository, freshness, notifier, log, now } = this.#context
    const all = [...databases(), ...away()]
    const observations: Observation[] = []
    const first = this.#firstAsked
    for (const index of all.keys()) {
      const place = (first + index) % all.length
      const database = all[place]
      if (database === undefined || signal.aborted) break
      const { name } = database
      try {
        observations.push(...(await freshness.observe(database, repository.database(name), now(), signal)))
      } catch (thrown) {
        if (signal.aborted) break
        const error = toHoldfastError(thrown, name)
        log.warn(`How new the backups of ${name} are could not be read. ${error.message}`, { database: name })
        this.#firstAsked = place + 1
        if (hasCode(error, ...awayCodes)) break
      }
    }
    notifier.observe(observations)
  }
}
