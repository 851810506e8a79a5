/** What the agent looks at now and then, for all databases at once: so that many idle ones cost next to nothing. */
import { hasCode, toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import type { FreshnessBook } from './freshness-book.ts'
import type { Metrics } from './metrics/metrics.ts'
import { observeDisk, readDiskSpace } from './notify/conditions/disk.ts'
import { observeLag, observeSpool } from './notify/conditions/following.ts'
import type { Observation } from './notify/engine/advance.ts'
import type { Notifier } from './notify/notifier.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import type { WorkerPool } from './worker/worker-pool.ts'

export interface RoundsContext {
  readonly repository: Repository
  readonly databases: () => readonly AgentDatabase[]
  readonly pool: WorkerPool
  readonly scheduler: Scheduler
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly freshness: FreshnessBook
  readonly log: AgentLog
  readonly now: () => number
  /** Folders whose disks are watched, and what lies there. */
  readonly folders: readonly { readonly what: string; readonly path: string }[]
}

export class Rounds {
  readonly #context: RoundsContext

  constructor(context: RoundsContext) {
    this.#context = context
  }

  async make(signal: AbortSignal): Promise<void> {
    const { databases, notifier } = this.#context
    await this.#askWorkers()
    const observations: Observation[] = []
    for (const database of databases()) observations.push(...(await this.#look(database, signal)))
    observations.push(...(await this.#lookAtDisks()))
    notifier.observe(observations)
  }

  /** Puts figures that change by themselves into the metrics. */
  measure(): void {
    const { databases, scheduler, notifier, metrics, freshness, now } = this.#context
    for (const database of databases()) {
      const { name, followed } = database
      const newest = freshness.get(name)?.newestBackupAt
      if (newest !== undefined) metrics.setLastSuccess(name, 'backup', newest)
      if (followed === undefined) continue
      const window = freshness.window(database, now())
      metrics.setWindow(name, window)
      metrics.setNewestState(name, Math.max(window?.toTime ?? 0, newest ?? 0) || undefined)
      const { lagMs, durableLsn, waiting } = followed.facts
      const [spoolBytes, spoolSegments] = [waiting.bytes, waiting.segments]
      metrics.setFollowed(name, { lagMs, durableLsn, walBytes: followed.logBytes, spoolBytes, spoolSegments })
    }
    for (const { database, schedule, due } of scheduler.list()) metrics.setNextDue(database, schedule.id, due)
    metrics.setAlerts(notifier.firing)
  }

  /** What waits in the spools, of workers that have something waiting or going on. */
  async #askWorkers(): Promise<void> {
    const { pool, databases } = this.#context
    const isBusy = databases().some(({ followed }) => {
      const facts = followed?.facts
      return facts !== undefined && (facts.lagMs > 0 || facts.waiting.bytes > 0)
    })
    if (!isBusy) return
    for (const worker of pool.workers) {
      try {
        const all = await worker.call('status', undefined)
        for (const { name, followed } of databases()) {
          const status = all[name]
          if (status !== undefined) followed?.noteWaiting(status.waiting, status.logBytes)
        }
      } catch (thrown) {
        // Whoever follows something there learns of it, and says so.
        if (!hasCode(thrown, 'ENGINE_DIED', 'ABORTED')) throw thrown
      }
    }
  }

  async #look(database: AgentDatabase, signal: AbortSignal): Promise<readonly Observation[]> {
    const { repository, freshness, log, now } = this.#context
    const { name, config, followed } = database
    const observations: Observation[] = []
    if (followed !== undefined) {
      const { lagMs, waiting } = followed.facts
      observations.push(...observeLag(name, lagMs, config.lagLimitMs))
      observations.push(
        ...observeSpool(name, waiting.bytes, config.follow?.spoolLimitBytes ?? Number.POSITIVE_INFINITY),
      )
    }
    try {
      observations.push(...(await freshness.observe(database, repository.database(name), now(), signal)))
    } catch (thrown) {
      if (signal.aborted) return observations
      const { message } = toHoldfastError(thrown, name)
      log.warn(`How new the backups of ${name} are could not be read. ${message}`, { database: name })
    }
    return observations
  }

  async #lookAtDisks(): Promise<readonly Observation[]> {
    const observations: Observation[] = []
    for (const { what, path } of this.#context.folders) {
      try {
        observations.push(...observeDisk(await readDiskSpace(what, path)))
      } catch (thrown) {
        this.#context.log.debug(`The disk of ${path} could not be looked at. ${toHoldfastError(thrown).message}`)
      }
    }
    return observations
  }
}
