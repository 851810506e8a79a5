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
import type { RepositoryPresence } from './repository-presence.ts'
import { isBackup } from './schedule/schedule-spec.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { ToldOnce } from './told-once.ts'
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
  readonly freshness: Pick<FreshnessBook, 'lastBackupAt' | 'newestStateAt' | 'observe' | 'window'>
  readonly log: Pick<AgentLog, 'warn'>
  readonly now: () => number
  readonly disks: Pick<DiskWatch, 'look'>
  readonly presence: Pick<RepositoryPresence, 'look' | 'doubt'>
}

export class Rounds {
  readonly #context: RoundsContext
  /** Where the repository is asked first, so that one of which it cannot be asked does not hide those behind it. */
  #firstAsked = 0
  /** By name: of what could not be read. */
  readonly #unread = new ToldOnce()

  constructor(context: RoundsContext) {
    this.#context = context
  }

  /** What this machine tells comes first: a repository that is away takes its time to say so. */
  async make(signal: AbortSignal): Promise<void> {
    const { databases, notifier, workers, hungWorkers, disks, presence } = this.#context
    await workers.ask()
    notifier.observe([
      ...databases().flatMap((database) => this.#lookAtFollowing(database)),
      ...hungWorkers.look(workers.silent),
      ...(await disks.look()),
    ])
    await this.#askRepository(await presence.look(signal), signal)
  }

  /** Puts figures that change by themselves into the metrics. */
  measure(): void {
    const { databases, scheduler, notifier, metrics, freshness, now } = this.#context
    for (const database of databases()) {
      const { name, config, followed } = database
      const madeAt = freshness.lastBackupAt(name)
      if (madeAt !== undefined) metrics.setLastSuccess(name, 'backup', madeAt)
      const isToBeKept = followed !== undefined || expectsBackups(config)
      metrics.setNewestState(name, isToBeKept ? freshness.newestStateAt(database, now()) : undefined)
      if (followed === undefined) continue
      metrics.setWindow(name, freshness.window(database, now()))
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

  /** One that is gone says nothing, empty as its place is; what is known of followed databases goes by their followers. */
  async #askRepository(isGone: boolean, signal: AbortSignal): Promise<void> {
    const { databases, away, repository, freshness, notifier, log, now, presence } = this.#context
    const all = [...databases(), ...away()].filter(({ followed }) => !isGone || followed?.facts.state === 'following')
    const observations: Observation[] = []
    const first = this.#firstAsked
    for (const index of all.keys()) {
      const place = (first + index) % all.length
      const database = all[place]
      if (database === undefined || signal.aborted) break
      const { name } = database
      try {
        observations.push(...(await freshness.observe(database, repository.database(name), now(), signal)))
        this.#unread.isOver(name)
      } catch (thrown) {
        if (signal.aborted) break
        if (hasCode(thrown, 'REPOSITORY_NOT_FOUND')) {
          presence.doubt()
          if (isGone) continue
          break
        }
        const error = toHoldfastError(thrown, name)
        if (this.#unread.isNew(name, error.message))
          log.warn(`How new the backups of ${name} are could not be read. ${error.message}`, { database: name })
        this.#firstAsked = place + 1
        if (hasCode(error, ...awayCodes)) break
      }
    }
    notifier.observe(observations)
  }
}

/** Else this agent never asks whether others made a backup. */
function expectsBackups({ overdueAfterMs, schedules }: AgentDatabase['config']): boolean {
  return overdueAfterMs !== undefined || schedules.some(({ action }) => isBackup(action))
}
