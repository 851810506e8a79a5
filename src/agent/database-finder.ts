import { toHoldfastError } from '../errors.ts'
import type { AgentDatabase, AgentDatabases } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import type { Config } from './config/config.ts'
import { discover } from './discovery/discover.ts'
import type { DeletedDatabase, GlobWatch } from './discovery/glob-watch.ts'
import type { LimitWatch } from './discovery/limit-watch.ts'
import type { KnownPlaces, NameBook } from './discovery/name-book.ts'
import { presenceOf } from './discovery/presence.ts'
import { unnamedIn } from './discovery/unnamed-in.ts'
import type { FirstLook } from './first-look.ts'
import type { FreshnessBook } from './freshness-book.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Alert } from './notify/alert.ts'
import { observeMissing } from './notify/conditions/missing.ts'
import { backupsAfter, namesTaken } from './notify/name-taken.ts'
import type { Notifier } from './notify/notifier.ts'
import { observeUnwatched } from './notify/unwatched.ts'
import type { Scheduler } from './schedule/scheduler.ts'

export interface DatabaseFinderContext {
  readonly names: NameBook
  /** Where the databases of the repository are from, for one look. */
  readonly places: (signal: AbortSignal) => KnownPlaces
  readonly globs: GlobWatch
  readonly limits: LimitWatch
  readonly databases: AgentDatabases
  readonly scheduler: Scheduler
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly freshness: FreshnessBook
  readonly firstLook: FirstLook
  readonly ownFolders: readonly string[]
  readonly log: AgentLog
  readonly now: () => number
  /** One is not looked after any more. */
  readonly onDropped: () => void
}

/** Finds the databases of the configuration, and puts in force for them what it says. */
export class DatabaseFinder {
  readonly #context: DatabaseFinderContext
  /** Files that were told of as ignored, with the reason. */
  #ignored: ReadonlyMap<string, string> = new Map()
  /** What could not be written down, so that it is said once. */
  #trouble: string | undefined
  #away: readonly AgentDatabase[] = []
  /** Paths of those that are not as a pattern found them before. */
  #troubled: ReadonlySet<string> = new Set()
  #applying: Promise<void> = Promise.resolve()
  #last: { readonly config: Config; readonly signal: AbortSignal; readonly at: number } | undefined

  constructor(context: DatabaseFinderContext) {
    this.#context = context
  }

  /** Those that a pattern found once, that went away, and that are expected back. */
  get away(): readonly AgentDatabase[] {
    return this.#away
  }

  /** Those that are not there any more, and whether they are expected back; since when, in milliseconds since 1970. */
  get gone(): readonly (DeletedDatabase & { readonly expected: boolean })[] {
    const { vanished, deleted } = this.#context.globs
    return [
      ...vanished.flatMap(({ since, databases }) =>
        databases.map(({ name, path }) => ({ name, path, since, expected: true })),
      ),
      ...deleted.map((each) => ({ ...each, expected: false })),
    ]
  }

  /** One after the other. Resolves when every database that is there is looked after. @throws ABORTED, INTERNAL */
  apply(config: Config, signal: AbortSignal): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(config, signal))
    this.#applying = applied.catch(() => {})
    return applied
  }

  /**
   * Whether something that began then may be the end of a database that a pattern found, of which nobody has looked since whether it is
   * there: the next look says so, for all that went with it.
   */
  mayBeGone(name: string, since: number): boolean {
    // What lies ahead was seen before the clock was set back.
    return this.#isOfPattern(name) && since > (this.#last?.at ?? 0) && since <= this.#context.now()
  }

  /** Whether a database of which something failed is not looked after any more. Where its file is not there, it looks at once. Never fails. */
  async hasGone(name: string): Promise<boolean> {
    const { databases, log } = this.#context
    const path = databases.find(name)?.path
    if (path === undefined) return true
    if (!this.#isOfPattern(name) || this.#last === undefined) return false
    if ((await presenceOf(path)).state === 'there') return false
    const { config, signal } = this.#last
    if (signal.aborted) return false
    try {
      await this.apply(config, signal)
    } catch (thrown) {
      log.debug(`Whether ${name} is gone cannot be told. ${toHoldfastError(thrown).message}`)
    }
    return databases.find(name) === undefined
  }

  #isOfPattern(name: string): boolean {
    return this.#context.databases.find(name)?.pattern !== undefined
  }

  /** Resolves when nothing is being applied. */
  async idle(): Promise<void> {
    await this.#applying
  }

  async #apply(config: Config, signal: AbortSignal): Promise<void> {
    const { names, globs, limits, databases, scheduler, notifier, metrics, firstLook, ownFolders, log, now } =
      this.#context
    this.#last = { config, signal, at: now() }
    const former = new Map(databases.all.map((each) => [each.name, each]))
    const known = new Set(databases.all.map(({ path }) => path))
    const remembered = globs.remembered.bind(globs)
    const places = this.#context.places(signal)
    const doubted = this.#troubled
    const found = await discover(config.databases, names, { known, doubted, remembered, places, ownFolders })
    this.#troubled = new Set(found.troubled.map(({ path }) => path))
    for (const [path, reason] of found.ignored)
      if (this.#ignored.get(path) !== reason) log.info(`${path} is left alone: ${reason}.`)
    this.#ignored = found.ignored
    await globs.look(config.databases, found.databases, now())
    await this.#save()
    if (signal.aborted) return
    const wereAway = this.#away
    this.#away = globs.vanished.flatMap(({ databases }) => databases.map((each) => ({ ...each, followed: undefined })))
    notifier.observe(observeMissing(globs.vanished, notifier.firing, found.troubled))
    const followed = found.databases.filter(({ config: { follow } }) => follow !== undefined)
    for (const { message, hint } of await limits.look(followed.length)) log.warn(message, { hint })
    const taken = namesTaken(notifier.firing)
    const { added, removed } = await databases.apply(found.databases, config.stopTimeoutMs)
    for (const { name } of removed) scheduler.set(name, [])
    this.#letGo([...wereAway, ...removed])
    const configs = new Map(databases.all.map(({ name, config }) => [name, config]))
    notifier.observe(observeUnwatched(notifier.firing, configs, new Set(this.#away.map(({ name }) => name))))
    metrics.setDatabases(databases.all.map(({ name }) => name))
    const fresh = new Set(added.map(({ name }) => name))
    for (const { name, config } of databases.all) if (!fresh.has(name)) scheduler.set(name, config.schedules)
    for (const { name, path } of added) {
      log.info(`Looking after ${name}.`, { path })
      firstLook.add(name)
    }
    await firstLook.look(signal)
    for (const database of databases.all) {
      const alerts = taken.get(database.name)
      if (alerts !== undefined && isMeantNow(database, former.get(database.name))) this.#backUp(database, alerts)
    }
  }

  /** What was refused under a name that was another's, so that it does not wait for its schedule to come round. */
  #backUp({ name, config }: AgentDatabase, refused: readonly Alert[]): void {
    for (const id of backupsAfter(refused, config))
      this.#context.scheduler.runNow(name, id, 'schedule').catch(() => {
        // The operation has told of it.
      })
  }

  /** Of those that are not there, what is not expected back is forgotten. */
  #letGo(gone: readonly AgentDatabase[]): void {
    const { databases, freshness, notifier, log, onDropped } = this.#context
    const away = new Set(this.#away.map(({ name }) => name))
    for (const { name, path } of gone) {
      if (away.has(name) || databases.find(name) !== undefined) continue
      onDropped()
      log.info(`${name} is not looked after any more.`, { path })
      freshness.forget(name)
      notifier.observe([{ what: 'forgotten', database: name }])
    }
  }

  async #save(): Promise<void> {
    const { names, globs, log } = this.#context
    try {
      await names.save()
      await globs.save()
      this.#trouble = undefined
    } catch (thrown) {
      const { message } = toHoldfastError(thrown)
      if (this.#trouble !== message) log.error(`Which databases were found could not be written down. ${message}`)
      this.#trouble = message
    }
  }
}

/** Whether the configuration says something else, since its name was refused, of whose that is. @param former undefined if it was not looked after */
function isMeantNow({ path, config }: AgentDatabase, former: AgentDatabase | undefined): boolean {
  const unnamed = unnamedIn(config)
  if (former === undefined) return unnamed === undefined
  return path !== former.path || unnamed !== unnamedIn(former.config)
}
