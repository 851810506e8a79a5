/** What an agent is made of, put together. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linkStorage, type StorageLink } from '../engine/storage-link.ts'
import { toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import { cpuTime } from '../util/cpu-time.ts'
import { userStateFolder } from '../util/user-state-folder.ts'
import { type AgentDatabase, AgentDatabases } from './agent-databases.ts'
import { AgentJobs } from './agent-jobs.ts'
import type { AgentOptions } from './agent-options.ts'
import { ChecksElsewhere } from './checks-elsewhere.ts'
import type { Config } from './config/config.ts'
import { DatabaseFinder } from './database-finder.ts'
import { GlobWatch } from './discovery/glob-watch.ts'
import { LimitWatch } from './discovery/limit-watch.ts'
import { NameBook } from './discovery/name-book.ts'
import { RecordedPlaces } from './discovery/recorded-places.ts'
import { systemLimits } from './discovery/system-limits.ts'
import { DiskWatch } from './disk-watch.ts'
import { checkRuns } from './expectations/check-runs.ts'
import { freeOwnLease } from './expectations/free-own-lease.ts'
import { OtherAgents } from './expectations/other-agents.ts'
import { RecordKeeper } from './expectations/record-keeper.ts'
import { FailuresMadeGood } from './failures-made-good.ts'
import { FirstLook } from './first-look.ts'
import { FollowWatch } from './follow/follow-watch.ts'
import { FreshnessBook } from './freshness-book.ts'
import { recallMadeBackups } from './made-backups.ts'
import { Metrics } from './metrics/metrics.ts'
import { isBeginning } from './mirrors/is-beginning.ts'
import { MirrorBook } from './mirrors/mirror-book.ts'
import { readCompletion } from './mirrors/read-completion.ts'
import { CertificateWatch } from './notify/certificates/certificate-watch.ts'
import { deviceOf, measureDisk } from './notify/conditions/disk.ts'
import { Heartbeats } from './notify/heartbeats.ts'
import { thisSender } from './notify/message.ts'
import type { Notifier } from './notify/notifier.ts'
import { openNotifier } from './open-notifier.ts'
import { openRepository } from './open-repository.ts'
import { Operations } from './operations/operations.ts'
import { RepositoryPresence } from './repository-presence.ts'
import { RepositoryWatch } from './repository-watch.ts'
import { Rounds } from './rounds.ts'
import { ScheduleStateFile } from './schedule/schedule-state-file.ts'
import { Scheduler } from './schedule/scheduler.ts'
import { agentId } from './state/agent-id.ts'
import { RunMarker } from './state/run-marker.ts'
import { HungWorkers } from './worker/hung-workers.ts'
import { WorkerPool } from './worker/worker-pool.ts'
import { WorkerWatch } from './worker/worker-watch.ts'

/** Starts of following at once: each stores a whole database if it is the first. */
const startsAtOnce = 4

export interface AgentParts extends AsyncDisposable {
  /** Where the agent keeps its own files. */
  readonly folder: string
  readonly finder: DatabaseFinder
  readonly link: StorageLink
  readonly repository: Repository
  readonly notifier: Notifier
  readonly heartbeats: Heartbeats
  readonly certificates: CertificateWatch
  readonly metrics: Metrics
  readonly marker: RunMarker
  readonly scheduler: Scheduler
  readonly pool: WorkerPool
  readonly databases: AgentDatabases
  readonly watch: FollowWatch
  readonly operations: Operations
  readonly rounds: Rounds
  readonly firstLook: FirstLook
  readonly freshness: FreshnessBook
  readonly repositoryWatch: RepositoryWatch
  readonly checksElsewhere: ChecksElsewhere
  readonly failuresMadeGood: FailuresMadeGood
  readonly otherAgents: OtherAgents
  readonly mirrors: MirrorBook
}

export function agentFolder({ stateFolder }: Pick<Config, 'stateFolder'>): string {
  return join(stateFolder ?? userStateFolder(), 'agent')
}

/** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, STORAGE_*, ACCESS_DENIED, DISK_FULL */
export async function assemble({
  config,
  log,
  journal,
  clock,
  signal,
  measure = measureDisk,
}: AgentOptions): Promise<AgentParts> {
  const now = (): number => clock.now()
  const warn = (message: string): void => log.warn(message)
  const folder = agentFolder(config)
  await using stack = new AsyncDisposableStack()
  const link = stack.use(await linkStorage(config.repository))
  const repository = await openRepository(link, signal)
  const metrics = new Metrics()
  const notifier = stack.use(
    await openNotifier({ config, folder, clock, log, metrics, sender: thisSender(link.storage.url) }),
  )
  const heartbeats = stack.use(
    new Heartbeats(config.notify, { clock, onDelivery: (delivery) => metrics.delivered(delivery), warn }),
  )
  const freshness = new FreshnessBook({ now, pendingSince: (key) => notifier.pendingSince(key) })
  await recallMadeBackups({ journal, repository, freshness, log })
  const reading = new AbortController()
  stack.defer(() => reading.abort())
  const onWindow = (name: string): void => {
    freshness.readWindow(repository.database(name), reading.signal).catch((thrown: unknown) => {
      if (!reading.signal.aborted)
        log.debug(`The window of ${name} could not be read. ${toHoldfastError(thrown).message}`)
    })
  }
  const operations = new Operations({
    journal,
    metrics,
    notifier,
    heartbeats: () => heartbeats.all,
    log,
    now,
    onEnded: ({ kind, outcome, database, startedAt }) => {
      if (kind === 'backup' && database !== undefined && (outcome === 'succeeded' || outcome === 'warning'))
        freshness.backedUp(database, startedAt)
      if ((kind === 'verify' || kind === 'drill') && database !== undefined)
        void repositoryWatch.readVerifications(database, reading.signal)
      if (kind === 'expire' && database !== undefined) onWindow(database)
    },
    hasGone: (name) => finder.hasGone(name),
  })
  const repositoryWatch = new RepositoryWatch({ repository, notifier, metrics, log, now })
  const checksElsewhere = new ChecksElsewhere({
    journal,
    repository,
    repositoryWatch,
    databases: () => databases.all.map(({ name }) => name),
    log,
    now,
  })
  const owner = { id: await agentId(folder, warn), host: hostname(), config: config.file }
  const keeper = new RecordKeeper(link.storage, owner)
  const own = (): readonly AgentDatabase[] => [...databases.all, ...finder.away]
  const deleted = (): ReadonlySet<string> =>
    new Set(finder.gone.filter(({ expected }) => !expected).map(({ name }) => name))
  const root = config.stateFolder ?? userStateFolder()
  const stateFolderOf = (name: string): string => join(root, repository.id, name)
  const letGo = (name: string, signal: AbortSignal) =>
    freeOwnLease(repository.database(name), stateFolderOf(name), { signal })
  const otherAgents = new OtherAgents({
    repository,
    keeper,
    notifier,
    log,
    now,
    own,
    deleted,
    runs: () => checkRuns(scheduler.list(), now()),
    letGo,
  })
  const repositoryName = link.storage.url
  const pool = stack.use(new WorkerPool(link, config.concurrency.workers))
  const find = (name: string) => databases.find(name)
  const wasBackedUp = (name: string): boolean => freshness.lastBackupAt(name) !== undefined
  const mirrors = new MirrorBook({
    journal,
    repository,
    scheduler: () => scheduler,
    notifier,
    metrics,
    log,
    now,
    read: readCompletion,
    isBeginning: () => isBeginning(databases.all, scheduler.list(), wasBackedUp),
  })
  const jobs = new AgentJobs({
    repository,
    repositoryName,
    link,
    operations,
    pool,
    clock,
    find,
    mirrors,
    wasBackedUp,
  })
  const stateFile = new ScheduleStateFile(folder)
  const scheduler = new Scheduler({
    clock,
    maxConcurrent: config.concurrency.operations,
    state: await stateFile.read(warn),
    store: stateFile,
    run: (run, signal, aside) => jobs.run(run, signal, aside),
    // The operation has told of it.
    onFailure: () => {},
    onStateNotKept: (error) => log.warn(`When schedules ran cannot be written down. ${String(error)}`),
  })
  const mayBeGone = (name: string, since: number): boolean => finder.mayBeGone(name, since)
  const watch = new FollowWatch({
    repositoryName,
    journal,
    metrics,
    notifier,
    scheduler,
    log,
    now,
    onWindow,
    mayBeGone,
  })
  const databases = new AgentDatabases({
    storage: link.address,
    pool,
    clock,
    stateFolderOf,
    startsAtOnce,
    onEvent: (name, event) => watch.event(name, event),
    onState: (name, facts) => watch.state(name, facts),
    onStopFailed: (name, error) => watch.stopFailed(name, error),
  })
  const names = await NameBook.read(join(folder, 'names.json'), warn)
  const workers = new WorkerWatch({
    workers: () => pool.workers,
    clock,
    log,
    onStatus: (status) => {
      for (const [name, each] of Object.entries(status)) find(name)?.followed?.noteStatus(each)
    },
  })
  const firstLook = new FirstLook({ repository, find, scheduler, freshness, repositoryWatch, log })
  const ownFolders = [
    root,
    userStateFolder(),
    ...[link.storage.url, ...config.mirrors.map(({ name }) => name)].flatMap(folderOf),
  ]
  const finder = new DatabaseFinder({
    names,
    places: (stopping) => new RecordedPlaces({ repository, log, signal: stopping }),
    globs: await GlobWatch.read(join(folder, 'globs.json'), warn),
    limits: new LimitWatch(systemLimits, config.concurrency.workers),
    databases,
    scheduler,
    notifier,
    metrics,
    freshness,
    firstLook,
    ownFolders,
    log,
    now,
    onDropped: () => otherAgents.changed(),
  })
  const disks = new DiskWatch({
    folders: () => [
      { what: 'the state folder', path: folder },
      ...folderOf(link.storage.url).map((path) => ({ what: 'the repository', path })),
    ],
    databases: () => databases.all,
    deviceOf,
    measure,
    notifier,
    log,
    now,
  })
  const rounds = new Rounds({
    repository,
    databases: () => databases.all,
    away: () => finder.away,
    mayBeGone,
    workers,
    hungWorkers: new HungWorkers({
      now,
      log,
      metrics,
      notifier,
      kill: (pid, reason) => pool.end(pid, reason),
      cpuTime,
    }),
    scheduler,
    notifier,
    metrics,
    freshness,
    log,
    now,
    disks,
    presence: new RepositoryPresence({ storage: link.storage, notifier, log }),
  })
  // Last: what is not put together did not run.
  const marker = await RunMarker.set(folder, now())
  const owned = stack.move()
  return {
    folder,
    finder,
    link,
    repository,
    notifier,
    heartbeats,
    certificates: new CertificateWatch({ notifier, log, now }),
    metrics,
    marker,
    scheduler,
    pool,
    databases,
    watch,
    operations,
    rounds,
    firstLook,
    freshness,
    repositoryWatch,
    checksElsewhere,
    failuresMadeGood: new FailuresMadeGood({ journal, repository, notifier, now }),
    otherAgents,
    mirrors,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function folderOf(url: string): string[] {
  return url.startsWith('file:') ? [fileURLToPath(url)] : []
}
