import { isDeepStrictEqual } from 'node:util'
import { BackupQueue } from '../backup/backup-queue.ts'
import type { CaptureEvent, Unsent } from '../capture/capture-events.ts'
import type { Clock } from '../capture/clock.ts'
import type { FollowRequest } from '../capture/engine-api.ts'
import type { StorageAddress } from '../engine/storage-link.ts'
import type { HoldfastError } from '../errors.ts'
import type { FollowConfig } from './config/config.ts'
import type { FoundDatabase } from './discovery/discover.ts'
import { unnamedIn } from './discovery/unnamed-in.ts'
import type { FollowFacts } from './follow/follow-facts.ts'
import { FollowedDatabase } from './follow/followed-database.ts'
import { placeInQueue } from './follow/place-in-queue.ts'
import type { WorkerPool } from './worker/worker-pool.ts'

/** A database that the agent looks after. */
export interface AgentDatabase extends FoundDatabase {
  readonly followed: FollowedDatabase | undefined
}

export interface AgentDatabasesContext {
  readonly storage: StorageAddress
  readonly pool: WorkerPool
  readonly clock: Clock
  /** Folder in which a database of that name keeps what waits for its upload. */
  readonly stateFolderOf: (name: string) => string
  /** First states are taken of so many databases at once. */
  readonly startsAtOnce: number
  readonly onEvent: (database: string, event: CaptureEvent) => void
  readonly onState: (database: string, facts: FollowFacts) => void
  /** A database was not let go in order. */
  readonly onStopFailed: (database: string, error: HoldfastError) => void
}

interface Entry {
  readonly database: AgentDatabase
  readonly request: FollowRequest | undefined
}

export interface AppliedChanges {
  readonly added: readonly AgentDatabase[]
  readonly removed: readonly AgentDatabase[]
}

/** The databases that the agent looks after now, and their following. */
export class AgentDatabases {
  readonly #context: AgentDatabasesContext
  readonly #starting: BackupQueue
  readonly #entries = new Map<string, Entry>()

  constructor(context: AgentDatabasesContext) {
    this.#context = context
    this.#starting = new BackupQueue(context.startsAtOnce)
  }

  get all(): readonly AgentDatabase[] {
    return [...this.#entries.values()].map(({ database }) => database)
  }

  find(name: string): AgentDatabase | undefined {
    return this.#entries.get(name)?.database
  }

  /** Looks after these from now on. What is followed in the same way as before goes on undisturbed. */
  async apply(found: readonly FoundDatabase[], stopWaitMs: number): Promise<AppliedChanges> {
    const wanted = new Map(found.map((database) => [database.name, database]))
    const gone = [...this.#entries.values()].filter(({ database }) => !wanted.has(database.name))
    const added: AgentDatabase[] = []
    const ending: Promise<unknown>[] = []
    for (const { database } of gone) {
      this.#entries.delete(database.name)
      if (database.followed !== undefined) ending.push(database.followed.stop(stopWaitMs))
    }
    for (const database of wanted.values()) {
      const former = this.#entries.get(database.name)
      const request = this.#request(database)
      const goesOn =
        former !== undefined && former.database.path === database.path && isDeepStrictEqual(former.request, request)
      if (goesOn) {
        this.#entries.set(database.name, { database: { ...database, followed: former.database.followed }, request })
        continue
      }
      const stopped = former?.database.followed?.stop(stopWaitMs)
      const followed = request === undefined ? undefined : this.#follow(database, request, stopped)
      const entry = { database: { ...database, followed }, request }
      this.#entries.set(database.name, entry)
      if (stopped !== undefined) ending.push(stopped)
      if (former === undefined) added.push(entry.database)
    }
    await Promise.all(ending)
    return { added, removed: gone.map(({ database }) => database) }
  }

  /**
   * Takes what was committed, waits so long for its upload, and lets all go. What is left waits for the next start.
   * @param hangMs how much longer a worker may take
   */
  async stop(waitMs: number, hangMs: number): Promise<ReadonlyMap<string, Unsent>> {
    const left = new Map<string, Unsent>()
    await Promise.all(
      this.all.map(async ({ name, followed }) => {
        if (followed !== undefined) left.set(name, await followed.stop(waitMs, hangMs))
      }),
    )
    return left
  }

  #follow(
    { name, path }: FoundDatabase,
    request: FollowRequest,
    after: Promise<unknown> | undefined,
  ): FollowedDatabase {
    const { storage, pool, clock, onEvent, onState, onStopFailed } = this.#context
    const followed = new FollowedDatabase({
      name,
      path,
      storage,
      request,
      pool,
      clock,
      mayStart: (signal) => placeInQueue(this.#starting, name, signal),
      onEvent: (event) => onEvent(name, event),
      onState: (facts) => onState(name, facts),
      onStopFailed: (error) => onStopFailed(name, error),
    })
    if (after === undefined) followed.start()
    else
      void after.then(
        () => followed.start(),
        () => followed.start(),
      )
    return followed
  }

  #request({ name, config }: FoundDatabase): FollowRequest | undefined {
    const { follow, compression } = config
    if (follow === undefined) return undefined
    const stateFolder = this.#context.stateFolderOf(name)
    return { ...requestOf(follow), ...compression, unnamedIn: unnamedIn(config), stateFolder }
  }
}

function requestOf({ handOff, ...rest }: FollowConfig): FollowRequest {
  return { ...rest, handOff }
}
