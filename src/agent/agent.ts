import type { Unsent } from '../capture/capture-events.ts'
import { ControlServer } from '../control/server.ts'
import { newSocketPath } from '../control/socket-path.ts'
import { toHoldfastError } from '../errors.ts'
import { abortable } from '../util/abort.ts'
import { settledWithin } from '../util/settled-within.ts'
import { agentControlApi } from './agent-control-api.ts'
import { AgentLock } from './agent-lock.ts'
import type { AgentOptions } from './agent-options.ts'
import { type AgentParts, agentFolder, assemble } from './agent-parts.ts'
import type { AgentStatus } from './agent-status.ts'
import { ConfigInForce } from './config-in-force.ts'
import { currentActor } from './journal/audit/actor.ts'
import { anchorAudit } from './journal/audit/anchor-audit.ts'
import { observeUncleanStop } from './notify/conditions/unclean-stop.ts'
import { type HealthReport, healthReport } from './notify/health.ts'
import { nameOf, type RunningOperation } from './operations/operations.ts'
import { reportStatus } from './report-status.ts'
import type { RunEnd } from './schedule/run-end.ts'
import { StopBudget } from './stop-budget.ts'
import { ToldOnce } from './told-once.ts'

/** How often the agent looks at everything, in milliseconds. */
const roundMs = 30_000
const auditMs = 3_600_000
const mostFreshened = 100
const freshenMs = 2_000
/** For notifications that are on their way when it stops. */
const lastWordsMs = 5_000

/** Keeps the databases of a configuration safe, unattended: follows them, runs their schedules, and says when something is wrong. */
export class Agent {
  readonly #options: AgentOptions
  readonly #parts: AgentParts
  readonly #lock: AgentLock
  readonly #startedAt: number
  readonly #stopping = new AbortController()
  /** What failed last in each part of a round, so that it is said once. */
  readonly #troubles = new ToldOnce()
  readonly #config: ConfigInForce
  #control: ControlServer | undefined
  #auditNotedAt = 0
  #rounds: Promise<void> = Promise.resolve()
  #stopped: Promise<ReadonlyMap<string, Unsent>> | undefined

  private constructor(options: AgentOptions, parts: AgentParts, lock: AgentLock) {
    this.#options = options
    this.#parts = parts
    this.#lock = lock
    this.#config = new ConfigInForce(options, parts, this.#stopping.signal)
    this.#startedAt = options.clock.now()
  }

  /**
   * Resolves once it looks after every database that it found; following them begins, or is tried again, on its own.
   * @throws LEASE_HELD if another agent runs with the same state folder; REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, STORAGE_*, ACCESS_DENIED,
   * DISK_FULL, ABORTED
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const { config, log, clock } = options
    await using stack = new AsyncDisposableStack()
    const path = await newSocketPath()
    const lock = stack.use(await AgentLock.take(agentFolder(config), path))
    const parts = stack.use(await assemble(options))
    const agent = new Agent(options, parts, lock)
    // From here on it ends by being stopped.
    stack.move()
    try {
      await agent.#listen(path)
      const { unclean } = parts.marker
      if (unclean !== undefined) parts.notifier.observe(observeUncleanStop(unclean, clock.now()))
      await parts.mirrors.set(options.config.mirrors)
      await abortable(parts.finder.apply(options.config, agent.#stopping.signal), options.signal)
    } catch (thrown) {
      await agent.stop()
      throw thrown
    }
    agent.#rounds = agent.#makeRounds()
    const count = parts.databases.all.length
    log.info(`The agent runs, and looks after ${count} ${count === 1 ? 'database' : 'databases'}.`, {
      repository: parts.link.storage.url,
      pid: process.pid,
    })
    return agent
  }

  /** As of now. */
  async renderMetrics(): Promise<{ readonly contentType: string; readonly body: string }> {
    const { metrics, rounds, mirrors, notifier, heartbeats } = this.#parts
    metrics.setChannels([...notifier.channels, ...heartbeats.status].map(({ name }) => name))
    rounds.measure()
    mirrors.measure()
    return await metrics.render()
  }

  health(): HealthReport {
    const { notifier, heartbeats } = this.#parts
    const { firing, channels, saveProblem } = notifier
    const { trouble: recording } = this.#options.journal
    return healthReport(firing, { channels, heartbeats: heartbeats.status, saveProblem, recording })
  }

  status(): AgentStatus {
    return reportStatus(this.#parts, {
      startedAt: this.#startedAt,
      now: this.#options.clock.now(),
      configFile: this.#config.current.file,
      health: this.health(),
    })
  }

  /** Runs a schedule now; resolves when that run is over. @throws SCHEDULE_NOT_FOUND, ABORTED, and what the run throws */
  async runSchedule(database: string, schedule: string): Promise<RunEnd> {
    return await this.#parts.scheduler.runNow(database, schedule)
  }

  /** How long a stop may take, as the configuration says, in milliseconds. */
  get stopTimeoutMs(): number {
    return this.#config.current.stopTimeoutMs
  }

  /** Reads the configuration anew and puts it in force; see {@link ConfigInForce.reload}. @throws ConfigError, ABORTED when it stops */
  reload(): Promise<void> {
    return this.#config.reload()
  }

  /**
   * Starts nothing more, waits for what runs, takes what was committed and uploads it, as long as the configuration allows.
   * @returns what waits for the next start, by database
   */
  stop(): Promise<ReadonlyMap<string, Unsent>> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<ReadonlyMap<string, Unsent>> {
    const { scheduler, databases, operations, notifier, marker, watch, finder } = this.#parts
    const { log } = this.#options
    log.info('The agent stops, in order; a second signal ends it at once.')
    const budget = new StopBudget(this.stopTimeoutMs)
    this.#stopping.abort()
    await settledWithin(Promise.allSettled([this.#rounds, finder.idle(), this.#config.idle()]), budget.rounds())
    if (this.#control !== undefined) await settledWithin(this.#control[Symbol.asyncDispose](), budget.control())
    // A backup of a followed database needs its follower.
    const { graceMs, endMs } = budget.runs()
    const scheduled = scheduler.stop({ graceMs })
    if (!(await settledWithin(scheduled, endMs))) log.warn(cutOff(operations.running))
    const { uploadMs, hangMs } = budget.following()
    const unsent = await databases.stop(uploadMs, hangMs)
    await settledWithin(watch.idle(), budget.records())
    await notifier.flush(lastWordsMs)
    await this.#parts[Symbol.asyncDispose]()
    // The workers are gone by now, and what waited for them knows.
    await settledWithin(Promise.all([scheduled, watch.idle()]), budget.records())
    await marker.clear()
    await this.#lock[Symbol.asyncDispose]()
    log.info('The agent has stopped.')
    return unsent
  }

  async #listen(path: string): Promise<void> {
    try {
      this.#control = await ControlServer.listen(path, agentControlApi, {
        status: async () => {
          await this.#freshen()
          return this.status()
        },
        reload: async (_, { signal }) => {
          await abortable(this.reload(), signal)
          return undefined
        },
        // Who asked may go away: the run goes on.
        runSchedule: async ({ database, schedule }, { signal }) => {
          const {
            outcome,
            message = null,
            warnings = [],
            backupId = null,
          } = await abortable(this.runSchedule(database, schedule), signal)
          return { outcome, message, warnings: [...warnings], backupId }
        },
      })
    } catch (thrown) {
      this.#options.log.warn(`Commands cannot reach this agent. ${toHoldfastError(thrown).message}`)
    }
  }

  /** Notes in the repository, now and then, how far the audit log of this machine has come. */
  async #noteAudit(): Promise<void> {
    const { clock, journal, log } = this.#options
    const now = clock.now()
    if (now >= this.#auditNotedAt && now < this.#auditNotedAt + auditMs) return
    this.#auditNotedAt = now
    const warning = await anchorAudit(journal, this.#parts.link.storage, currentActor('holdfast run'), now)
    if (warning !== undefined) log.error(warning)
  }

  /** Commands make backups and bring mirrors up to date too. With very many databases, what the agent knows by itself must do. */
  async #freshen(): Promise<void> {
    const mirrors = this.#parts.mirrors.freshen(freshenMs, this.#stopping.signal)
    await Promise.all([this.#freshenDatabases(), mirrors])
  }

  async #freshenDatabases(): Promise<void> {
    const { databases, freshness, repository, repositoryWatch } = this.#parts
    if (databases.all.length > mostFreshened) return
    const { signal } = this.#stopping
    // What cannot be read now stays as it was known, and keeps no other from being read.
    const reading = databases.all.flatMap(({ name }) => [
      (async () => await freshness.read(repository.database(name), signal))(),
      repositoryWatch.read(name, signal),
    ])
    await settledWithin(Promise.allSettled(reading), freshenMs)
  }

  async #makeRounds(): Promise<void> {
    const { clock, journal } = this.#options
    const { signal } = this.#stopping
    const { rounds, marker, otherAgents, firstLook, finder, certificates, mirrors, checksElsewhere, failuresMadeGood } =
      this.#parts
    while (!signal.aborted) {
      await this.#attempt('Writing down that the agent runs', () => marker.seen(clock.now()))
      await this.#attempt('Looking at the databases', () => rounds.make(signal))
      await this.#attempt('Looking at mirrors', () => mirrors.look(signal))
      this.#tellAlive()
      await firstLook.look(signal)
      await this.#attempt('Looking at what others made good', () => failuresMadeGood.look())
      await this.#attempt('Looking at verifications and drills of others', () => checksElsewhere.look(signal))
      await this.#attempt('Looking at certificates', () => certificates.look(this.#config.current.notify, signal))
      await this.#attempt('Looking at the databases of other agents', () => otherAgents.look(signal))
      await this.#attempt('Noting the head of the audit log in the repository', () => this.#noteAudit())
      // Else nobody would know that it can be written again before there is something to be recorded.
      if (journal.trouble !== undefined) await journal.recordSeen(clock.now())
      await this.#attempt('Waiting', () => clock.sleep(roundMs, signal))
      if (this.#config.current.databases.some(({ source }) => source.kind === 'glob'))
        await this.#attempt('Looking for databases', () => finder.apply(this.#config.current, signal))
    }
  }

  #tellAlive(): void {
    const { heartbeats, notifier } = this.#parts
    if (!this.#stopping.signal.aborted) heartbeats.tellAlive(notifier.firing, this.#options.clock.now())
  }

  /** One part of a round that fails keeps no other from being done, and is told of once. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopping.signal.aborted) return
    try {
      await work()
      this.#troubles.isOver(what)
    } catch (thrown) {
      const { message } = toHoldfastError(thrown)
      if (this.#stopping.signal.aborted || !this.#troubles.isNew(what, message)) return
      this.#options.log.error(`${what} failed. ${message}`)
    }
  }
}

function cutOff(running: readonly RunningOperation[]): string {
  if (running.length === 0) return 'Writing down when schedules ran does not end: it is cut off.'
  return `What was called off does not end, and is cut off: ${running.map(nameOf).join(', ')}.`
}
