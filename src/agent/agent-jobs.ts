/** What a schedule that is due makes the agent do. */
import type { Clock } from '../capture/clock.ts'
import type { StorageLink } from '../engine/storage-link.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { openKnown } from '../repository/known-places.ts'
import type { BackupType } from '../repository/manifest.ts'
import type { Repository } from '../repository/repository.ts'
import type { BackupStorage } from '../storage/storage.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { MirrorConfig } from './config/config.ts'
import { backUp } from './jobs/back-up.ts'
import { drill } from './jobs/drill.ts'
import type { Waiting } from './jobs/in-turn.ts'
import { keepUp } from './jobs/keep-up.ts'
import { mirror, noMirrors } from './jobs/mirror.ts'
import { requireOwnHistory } from './jobs/require-own-history.ts'
import { verify } from './jobs/verify.ts'
import { backupFigures } from './journal/backup-figures.ts'
import type { Ending } from './journal/ending.ts'
import { mirrorEnding } from './journal/mirror-ending.ts'
import type { OperationKind, OperationStart } from './journal/operation.ts'
import type { MirrorBook } from './mirrors/mirror-book.ts'
import type { Operations } from './operations/operations.ts'
import { type RunEnd, runEnd } from './schedule/run-end.ts'
import type { ScheduleAction } from './schedule/schedule-spec.ts'
import type { StandAside } from './schedule/scheduler.ts'
import type { ScheduledRun } from './schedule/timetable.ts'
import type { WorkerPool } from './worker/worker-pool.ts'

export interface AgentJobsContext {
  readonly repository: Repository
  /** As shown to people. */
  readonly repositoryName: string
  readonly link: StorageLink
  readonly operations: Pick<Operations, 'run'>
  readonly pool: WorkerPool
  readonly find: (name: string) => AgentDatabase | undefined
  readonly mirrors: Pick<MirrorBook, 'all' | 'find' | 'began' | 'completed'>
  /** Whether a backup of a database was ever made, as far as is known on this machine. */
  readonly wasBackedUp: (database: string) => boolean
  readonly clock: Pick<Clock, 'now' | 'sleep'>
}

/** Of one run. */
interface Run extends Pick<Waiting, 'aside' | 'onWait'> {
  readonly signal: AbortSignal
}

const kindOf: Readonly<Record<ScheduleAction, OperationKind>> = {
  full: 'backup',
  incremental: 'backup',
  snapshot: 'backup',
  verify: 'verify',
  drill: 'drill',
  expire: 'expire',
  compact: 'compact',
  mirror: 'mirror',
}

/** Does what is due, with its hooks, and tells everybody whom it concerns. */
export class AgentJobs {
  readonly #context: AgentJobsContext

  constructor(context: AgentJobsContext) {
    this.#context = context
  }

  /** @throws NAME_NOT_FOUND if the database, or mirror, is not looked after any more, and what the work throws */
  async run(
    { database: name, schedule, reason }: ScheduledRun,
    signal: AbortSignal,
    aside: StandAside,
  ): Promise<RunEnd> {
    const place = this.#context.mirrors.find(name)
    if (place !== undefined) return await this.#mirrorAll(place, { schedule, reason }, { signal, aside })
    const database = this.#context.find(name)
    if (database === undefined) throw notLookedAfter(name)
    const { operations, repositoryName } = this.#context
    const start: OperationStart = {
      kind: kindOf[schedule.action],
      database: name,
      repository: repositoryName,
      type: this.#typeOf(database, schedule.action),
      trigger: reason,
      schedule: schedule.id,
    }
    const { hooks } = database.config
    return runEnd(
      await operations.run(start, { hooks, path: database.path, signal }, (abort, onWait) =>
        this.#work(database, schedule, { signal: abort, aside, onWait }),
      ),
    )
  }

  #typeOf({ config }: AgentDatabase, action: ScheduleAction): string | undefined {
    if (kindOf[action] === 'backup') return action
    return action === 'verify' ? config.verify.level : undefined
  }

  async #work(database: AgentDatabase, schedule: ScheduledRun['schedule'], run: Run): Promise<Ending> {
    const { signal } = run
    switch (schedule.action) {
      case 'full':
      case 'incremental':
      case 'snapshot':
        return await this.#backUp(database, schedule, schedule.action, run)
      case 'verify':
        return await this.#verify(database, signal)
      case 'drill':
        return await this.#drill(database, signal)
      case 'expire':
      case 'compact':
        return await this.#keepUp(database, schedule.action, run)
      case 'mirror':
        return await this.#mirrorOne(database, run)
    }
  }

  async #backUp(
    database: AgentDatabase,
    { id, tags = {} }: ScheduledRun['schedule'],
    type: BackupType,
    run: Run,
  ): Promise<Ending> {
    const { repository, link, clock } = this.#context
    const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
    const snapshotName = type === 'snapshot' ? `${id}-${stamp}` : undefined
    const { metadata, warnings } = await backUp(repository, link, database, {
      type,
      snapshotName,
      tags,
      ...this.#inLine(database, run),
    })
    return { backupId: metadata.id, type: metadata.type, warnings, figures: backupFigures(metadata) }
  }

  async #verify({ name, config }: AgentDatabase, signal: AbortSignal): Promise<Ending> {
    const isThere = () => this.#isThere(name, signal)
    return await verify(this.#place, { name, config, isThere }, signal)
  }

  async #drill({ name, config }: AgentDatabase, signal: AbortSignal): Promise<Ending> {
    const isThere = () => this.#isThere(name, signal)
    return await drill(this.#place, { name, config, isThere }, signal)
  }

  async #keepUp(database: AgentDatabase, action: 'expire' | 'compact', run: Run): Promise<Ending> {
    const { repository, link, pool } = this.#context
    if (!(await this.#isThere(database.name, run.signal)))
      return { message: 'There is nothing in the repository yet.', outcome: 'succeeded' }
    await requireOwnHistory(repository, database, run.signal)
    const options = { action, pool, ...this.#inLine(database, run) }
    return { figures: { ...(await keepUp(repository, link, database, options)) } }
  }

  #inLine({ name }: AgentDatabase, { signal, ...run }: Run) {
    const { find, pool } = this.#context
    const isWorker = (pid: number): boolean => pool.workers.some((worker) => worker.pid === pid)
    return { followed: () => find(name)?.followed, isWorker, waiting: this.#waiting(run), signal }
  }

  #waiting({ aside, onWait }: Omit<Run, 'signal'>): Waiting {
    const { clock } = this.#context
    return { aside, onWait, sleep: clock.sleep.bind(clock) }
  }

  /** All of the repository, to one mirror. */
  async #mirrorAll(
    place: MirrorConfig,
    { schedule, reason }: Pick<ScheduledRun, 'schedule' | 'reason'>,
    { signal, aside }: Omit<Run, 'onWait'>,
  ): Promise<RunEnd> {
    const { operations, repositoryName, link, mirrors, clock } = this.#context
    const { name, hooks } = place
    const start: OperationStart = {
      kind: 'mirror',
      repository: repositoryName,
      type: name,
      trigger: reason,
      schedule: schedule.id,
    }
    const end = await operations.run(start, { hooks, signal }, async (abort, onWait) => {
      const startedAt = clock.now()
      mirrors.began(name, startedAt)
      const waiting = this.#waiting({ aside, onWait })
      const report = await mirror(link, place, { now: startedAt, waiting, signal: abort })
      if (report.complete && report.completeAt !== undefined) mirrors.completed(name, report.completeAt)
      return { ...mirrorEnding(report), type: name }
    })
    return runEnd(end)
  }

  /** One database, to every mirror. */
  async #mirrorOne({ name }: AgentDatabase, { signal, ...run }: Run): Promise<Ending> {
    const { link, mirrors, clock } = this.#context
    const waiting = this.#waiting(run)
    if (mirrors.all.length === 0) throw noMirrors(name)
    if (!(await this.#isThere(name, signal)))
      return { message: 'There is nothing to mirror yet.', outcome: 'succeeded' }
    const endings: Ending[] = []
    const failures: HoldfastError[] = []
    for (const { config } of mirrors.all) {
      try {
        const options = { database: name, now: clock.now(), waiting, signal }
        endings.push(mirrorEnding(await mirror(link, config, options)))
      } catch (thrown) {
        // The others are not to go without because of one that is away. What is called off while it waits has no place any more.
        if (signal.aborted || hasCode(thrown, 'ABORTED')) throw thrown
        failures.push(toHoldfastError(thrown, config.name))
      }
    }
    const [failure] = failures
    if (failure !== undefined) throw failure
    const worst = endings.find(({ outcome }) => outcome === 'failed') ?? endings[0]
    return { ...worst, type: undefined, warnings: endings.flatMap(({ warnings = [] }) => warnings) }
  }

  /** For what opens it in a process of its own. */
  get #place(): string | BackupStorage {
    const { link } = this.#context
    return link.address.kind === 'location' ? link.address.location : link.storage
  }

  /**
   * Whether there is anything of it in the repository. What is gone from there is no reason to call it a success that nothing was done.
   * @throws REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, STORAGE_*
   */
  async #isThere(name: string, signal: AbortSignal): Promise<boolean> {
    const { repository, wasBackedUp } = this.#context
    if ((await repository.databaseNames({ signal })).includes(name)) return true
    // The place where its disk is not mounted lists as empty, too.
    await openKnown(repository.storage, { signal })
    if (!wasBackedUp(name)) return false
    throw new HoldfastError('NAME_NOT_FOUND', `Backups of ${name} were made, but nothing of it is in the repository.`, {
      object: name,
      hint: 'See who removed them, "holdfast audit" may tell, and make a full backup.',
    })
  }
}

function notLookedAfter(name: string): HoldfastError {
  return new HoldfastError('NAME_NOT_FOUND', `The agent does not look after a database "${name}".`, { object: name })
}
