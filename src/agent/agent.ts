import { isDeepStrictEqual } from 'node:util'
import type { Unsent } from '../capture/capture-events.ts'
import { ControlServer } from '../control/server.ts'
import { newSocketPath } from '../control/socket-path.ts'
import { toHoldfastError } from '../errors.ts'
import { abortable, aborted } from '../util/abort.ts'
import { settledWithin } from '../util/settled-within.ts'
import { version } from '../util/version.ts'
import { agentControlApi } from './agent-control-api.ts'
import { AgentLock } from './agent-lock.ts'
import type { AgentOptions } from './agent-options.ts'
import { type AgentParts, agentFolder, assemble } from './agent-parts.ts'
import { type AgentStatus, followingStatus, isoTime } from './agent-status.ts'
import type { Config } from './config/config.ts'
import { currentActor } from './journal/audit/actor.ts'
import { anchorAudit } from './journal/audit/anchor-audit.ts'
import { conditionKey } from './notify/alert.ts'
import { observeUncleanStop } from './notify/conditions/unclean-stop.ts'
import { configuredChannels, configuredHeartbeats } from './notify/configured.ts'
import { type HealthReport, healthReport } from './notify/health.ts'
import { thisSender } from './notify/message.ts'

const configKey = conditionKey('failure', 'config')
/** How often the agent looks at everything, in milliseconds. */
const roundMs = 30_000
const auditMs = 3_600_000
const mostFreshened = 100
const freshenMs = 2_000
/** For notifications that are on their way when it stops. */
const lastWordsMs = 5_000
/** For what was called off to clean up, before it is cut off. */
const cleanUpMs = 5_000

/** Keeps the databases of a configuration safe, unattended: follows them, runs their schedules, and says when something is wrong. */
export class Agent {
  readonly #options: AgentOptions
  readonly #parts: AgentParts
  readonly #lock: AgentLock
  readonly #startedAt: number
  readonly #stopping = new AbortController()
  /** What failed last in each part of a round, so that it is said once. */
  readonly #troubles = new Map<string, string>()
  readonly #startedWith: Config
  #config: Config
  #control: ControlServer | undefined
  #auditNotedAt = 0
  #rounds: Promise<void> = Promise.resolve()
  #reloading: Promise<void> = Promise.resolve()
  /** Asked for, and not begun. */
  #nextReload: Promise<void> | undefined
  #stopped: Promise<ReadonlyMap<string, Unsent>> | undefined

  private constructor(options: AgentOptions, parts: AgentParts, lock: AgentLock) {
    this.#options = options
    this.#parts = parts
    this.#lock = lock
    this.#startedWith = options.config
    this.#config = options.config
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
    const { metrics, rounds, mirrors } = this.#parts
    rounds.measure()
    mirrors.measure()
    return await metrics.render()
  }

  health(): HealthReport {
    const { notifier } = this.#parts
    return healthReport(notifier.firing, notifier.channels, notifier.saveProblem)
  }

  status(): AgentStatus {
    const { databases, scheduler, operations, notifier, link, pool, freshness, finder, mirrors } = this.#parts
    const { status: health, problems } = this.health()
    const next = new Map<string, { schedule: string; action: string; at: number }>()
    for (const { database, schedule, due } of scheduler.list()) {
      const known = next.get(database)
      if (due !== undefined && (known === undefined || due < known.at))
        next.set(database, { schedule: schedule.id, action: schedule.action, at: due })
    }
    return {
      version,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      configFile: this.#config.file,
      repository: link.storage.url,
      health,
      problems: [...problems],
      databases: databases.all.map(({ name, path, followed }) => {
        const due = next.get(name)
        return {
          name,
          path,
          following: followingStatus(followed?.facts),
          lastBackupAt: isoTime(freshness.lastBackupAt(name)),
          next: due === undefined ? null : { ...due, at: new Date(due.at).toISOString() },
        }
      }),
      gone: finder.gone.map(({ name, path, since, expected }) => {
        return { name, path, since: new Date(since).toISOString(), expected }
      }),
      mirrors: mirrors.all.map(({ config: { name }, completeAt }) => ({
        mirror: name,
        completeAt: isoTime(completeAt),
        lagMs: completeAt === undefined ? null : Math.max(0, this.#options.clock.now() - completeAt),
        next: isoTime(next.get(name)?.at),
      })),
      running: operations.running.map(({ kind, type, database, schedule, startedAt }) => ({
        kind,
        type: type ?? null,
        database: database ?? null,
        schedule: schedule ?? null,
        startedAt: new Date(startedAt).toISOString(),
      })),
      channels: notifier.channels.map(({ name, type, target, waiting, last }) => ({
        name,
        type,
        target,
        waiting,
        problem: last?.problem ?? null,
      })),
      workers: pool.workers.flatMap(({ pid }) => pid ?? []),
    }
  }

  /** Runs a schedule now; resolves when that run is over. @throws SCHEDULE_NOT_FOUND, ABORTED, and what the run throws */
  async runSchedule(database: string, schedule: string): Promise<void> {
    await this.#parts.scheduler.runNow(database, schedule)
  }

  /**
   * Reads the configuration anew and puts it in force. What is followed as before goes on undisturbed. If it makes no sense, the present
   * one stays in force. Whoever asks while it is being read gets what is read after that. @throws ConfigError, ABORTED when it stops
   */
  reload(): Promise<void> {
    if (this.#nextReload === undefined) {
      const next = this.#reloading.then(() => {
        this.#nextReload = undefined
        return this.#reload()
      })
      this.#nextReload = next
      this.#reloading = next.catch(() => {})
    }
    return this.#nextReload
  }

  async #reload(): Promise<void> {
    const { log } = this.#options
    const { signal } = this.#stopping
    try {
      const config = await abortable(this.#options.readConfig(), signal)
      const held = ['repository', 'stateFolder', 'concurrency', 'repeatAlertsMs', 'server'] as const
      for (const key of held) {
        if (!isDeepStrictEqual(config[key], this.#startedWith[key]))
          log.warn(
            `"${key === 'repeatAlertsMs' ? 'repeatAlerts' : key}" has changed: that takes effect when the agent is started again.`,
          )
      }
      this.#config = { ...config, repository: this.#config.repository, stateFolder: this.#config.stateFolder }
      log.configure(config.log)
      await this.#parts.notifier.reconfigure(
        configuredChannels(config.notify, thisSender(this.#parts.link.storage.url)),
      )
      await this.#replaceHeartbeats(config)
      await this.#parts.mirrors.set(this.#config.mirrors)
      await this.#parts.finder.apply(this.#config, signal)
      this.#parts.otherAgents.changed()
      this.#parts.notifier.observe([{ what: 'absent', key: configKey }])
      log.info('The configuration was read anew.', { file: config.file })
    } catch (thrown) {
      if (signal.aborted) throw aborted(signal)
      const { message } = toHoldfastError(thrown)
      const summary = `The configuration could not be read anew, so the present one stays in force. ${message}`
      log.error(summary)
      const hint = 'Run "holdfast config check": the next start of the agent would fail.'
      const condition = { key: configKey, kind: 'failure', severity: 'warning', summary, hint, details: {} } as const
      this.#parts.notifier.observe([{ what: 'present', condition }])
      throw thrown
    }
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
    const { scheduler, databases, notifier, marker, watch, finder } = this.#parts
    const { log } = this.#options
    const { stopTimeoutMs } = this.#config
    log.info('The agent stops, in order; a second signal ends it at once.')
    // By the steady clock: the other may be set meanwhile.
    const deadline = performance.now() + stopTimeoutMs
    const left = (): number => Math.max(0, deadline - performance.now())
    this.#stopping.abort()
    await settledWithin(Promise.allSettled([this.#rounds, finder.idle(), this.#reloading]), stopTimeoutMs / 2)
    if (this.#control !== undefined) await settledWithin(this.#control[Symbol.asyncDispose](), cleanUpMs)
    // A backup of a followed database needs its follower.
    const graceMs = left() / 2
    const scheduled = scheduler.stop({ graceMs })
    if (!(await settledWithin(scheduled, graceMs + cleanUpMs)))
      log.warn('Something that was called off does not end: it is cut off.', {
        running: this.#parts.operations.running.map(({ kind, database }) => `${kind} ${database ?? ''}`).join(', '),
      })
    const unsent = await databases.stop(left())
    await settledWithin(watch.idle(), cleanUpMs)
    await notifier.flush(lastWordsMs)
    await this.#parts[Symbol.asyncDispose]()
    // Its worker is gone by now.
    await settledWithin(scheduled, cleanUpMs)
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
          await abortable(this.runSchedule(database, schedule), signal)
          return undefined
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

  /** Commands make backups too. With very many databases, what the agent knows by itself must do. */
  async #freshen(): Promise<void> {
    const { databases, freshness, repository } = this.#parts
    if (databases.all.length > mostFreshened) return
    const reading = databases.all.map(({ name }) => freshness.read(repository.database(name), this.#stopping.signal))
    // What cannot be read now stays as it was known.
    await settledWithin(Promise.allSettled(reading), freshenMs)
  }

  async #replaceHeartbeats(config: Config): Promise<void> {
    const { heartbeats } = this.#parts
    const former = heartbeats.current
    heartbeats.current = configuredHeartbeats(config.notify, { clock: this.#options.clock })
    await Promise.all(former.map((heartbeat) => heartbeat[Symbol.asyncDispose]()))
  }

  async #makeRounds(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    const { rounds, marker, otherAgents, firstLook, finder, certificates, mirrors } = this.#parts
    while (!signal.aborted) {
      await this.#attempt('Writing down that the agent runs', () => marker.seen(clock.now()))
      await this.#attempt('Looking at the databases', () => rounds.make(signal))
      mirrors.observe()
      this.#tellAlive()
      await firstLook.look(signal)
      await this.#attempt('Looking at certificates', () => certificates.look(this.#config.notify, signal))
      await this.#attempt('Looking at the databases of other agents', () => otherAgents.look(signal))
      await this.#attempt('Noting the head of the audit log in the repository', () => this.#noteAudit())
      await this.#attempt('Waiting', () => clock.sleep(roundMs, signal))
      if (this.#config.databases.some(({ source }) => source.kind === 'glob'))
        await this.#attempt('Looking for databases', () => finder.apply(this.#config, signal))
    }
  }

  #tellAlive(): void {
    const { alive, heartbeats, notifier } = this.#parts
    if (!this.#stopping.signal.aborted) alive.tell(heartbeats.current, notifier.firing, this.#options.clock.now())
  }

  /** One part of a round that fails keeps no other from being done, and is told of once. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopping.signal.aborted) return
    try {
      await work()
      this.#troubles.delete(what)
    } catch (thrown) {
      const { message } = toHoldfastError(thrown)
      if (this.#stopping.signal.aborted || this.#troubles.get(what) === message) return
      this.#troubles.set(what, message)
      this.#options.log.error(`${what} failed. ${message}`)
    }
  }
}
