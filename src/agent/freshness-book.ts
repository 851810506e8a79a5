import { hasCode } from '../errors.ts'
import { restorableWindows } from '../history/windows.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { FollowFacts } from './follow/follow-facts.ts'
import { type Freshness, newestStateAt, observeFreshness, readFreshness } from './notify/conditions/freshness.ts'
import type { Observation } from './notify/engine/advance.ts'

/** Milliseconds since 1970. */
export interface WindowTimes {
  readonly fromTime: number
  readonly toTime: number
}

/** Following begins within this time, also where many databases are queued; then it is known how new a quiet one is. */
const beginMs = 15 * 60_000

/** What stays overdue is read again so often. */
const rereadMs = 10 * 60_000

export interface FreshnessBookOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Since when a condition is seen that was not told yet; undefined if it was told, or is not seen. */
  readonly pendingSince: (key: string) => number | undefined
}

/**
 * How new what is kept of each database is. Read from the repository once, then from what the agent does itself; and before
 * anything is called overdue, from the repository again, since somebody else may have made a backup. Of what this agent follows, nobody
 * else can: there its follower's word counts, also while the repository is away.
 */
export class FreshnessBook {
  readonly #options: FreshnessBookOptions
  readonly #known = new Map<string, Freshness>()
  readonly #windows = new Map<string, WindowTimes>()
  /** When a backup was last made, as this agent or its journal knows. */
  readonly #madeAt = new Map<string, number>()
  /** When it was last read because it seemed overdue, and was. */
  readonly #readAt = new Map<string, number>()

  constructor(options: FreshnessBookOptions) {
    this.#options = options
  }

  async read(database: DatabaseRepository, signal: AbortSignal): Promise<Freshness> {
    const { name } = database
    const read = await readFreshness(database, this.#options.now(), { signal })
    const known = this.#known.get(name)
    // Who was alive when it was last read, and died then, has not said so itself.
    const coveredUntil = notBefore(read.coveredUntil, known?.coveredUntil)
    const freshness = { ...read, coveredAt: notBefore(read.coveredAt, known?.coveredAt), coveredUntil }
    this.#known.set(name, freshness)
    return freshness
  }

  /**
   * Also reads the newest window of which every commit can be restored; what was read before is kept if that fails.
   * @throws STORAGE_*, ABORTED
   */
  async readWindow(database: DatabaseRepository, signal: AbortSignal): Promise<void> {
    const { segments, gaps } = await database.catalog({ signal })
    const newest = restorableWindows(segments, gaps).windows.findLast(({ kind }) => kind === 'continuous')
    if (newest === undefined) this.#windows.delete(database.name)
    else this.#windows.set(database.name, { fromTime: newest.fromTime, toTime: newest.toTime })
  }

  /** Every commit between these times can be restored. Undefined if it was never followed, as far as is known. */
  window({ name, followed }: AgentDatabase, now: number): WindowTimes | undefined {
    const known = this.#windows.get(name)
    const facts = followed?.facts
    if (known === undefined || facts?.state !== 'following' || facts.mode !== 'commits') return known
    return { fromTime: known.fromTime, toTime: Math.max(known.toTime, coveredBy(facts, now) ?? known.toTime) }
  }

  /** When the newest state in the repository was current, as alerts see it. Undefined if there is none, as far as is known. */
  newestStateAt({ name, followed }: AgentDatabase, now: number): number | undefined {
    return newestStateAt(asFollowed(this.#known.get(name) ?? { database: name }, followed?.facts, now), now)
  }

  backedUp(name: string, at: number): void {
    this.#known.set(name, { ...this.#known.get(name), database: name, newestBackupAt: at })
    this.wasBackedUp(name, at)
  }

  /** As the journal tells; the repository may not have that backup any more. */
  wasBackedUp(name: string, at: number): void {
    this.#madeAt.set(name, Math.max(at, this.#madeAt.get(name) ?? 0))
  }

  /**
   * When the last backup was made, in milliseconds since 1970. The repository tells only of which moment its state is, which may
   * be long before for a database that is followed and in which nothing happens.
   */
  lastBackupAt(name: string): number | undefined {
    const newest = Math.max(this.#madeAt.get(name) ?? 0, this.#known.get(name)?.newestBackupAt ?? 0)
    return newest === 0 ? undefined : newest
  }

  forget(name: string): void {
    this.#known.delete(name)
    this.#madeAt.delete(name)
    this.#readAt.delete(name)
    this.#windows.delete(name)
  }

  /** What is to be said of a database now. @throws STORAGE_* where it must be read from the repository, and cannot */
  async observe(
    { name, config, followed }: AgentDatabase,
    repository: DatabaseRepository,
    now: number,
    signal: AbortSignal,
  ): Promise<readonly Observation[]> {
    const { overdueAfterMs, schedules } = config
    const facts = followed?.facts
    const judge = (freshness: Freshness, at: number): readonly Observation[] => {
      const observations = observeFreshness(freshness, { overdueAfterMs, schedules }, at)
      const delay = facts?.state === 'starting' ? { delayMs: beginMs } : {}
      return observations.map((each) => (each.what === 'present' ? { ...delay, ...each, onSight: true } : each))
    }
    const known = this.#known.get(name)
    if (known !== undefined) {
      const observations = judge(this.#asFollowed(known, facts, now), now)
      if (facts?.state === 'following' || !this.#mustRead(name, observations, now)) return observations
    }
    const read = await this.read(repository, signal)
    // What was read is of this moment, and would lie in the future of the one before.
    const at = Math.max(now, this.#options.now())
    const observations = judge(this.#asFollowed(read, facts, at), at)
    if (observations.some(({ what }) => what === 'present')) this.#readAt.set(name, now)
    else this.#readAt.delete(name)
    return observations
  }

  #asFollowed(freshness: Freshness, facts: FollowFacts | undefined, now: number): Freshness {
    const followed = asFollowed(freshness, facts, now)
    if (facts?.state === 'following') this.#known.set(freshness.database, followed)
    return followed
  }

  /** Before anything is told, and now and then while it lasts. */
  #mustRead(name: string, observations: readonly Observation[], now: number): boolean {
    const readAt = this.#readAt.get(name)
    const present = observations.filter((each) => each.what === 'present')
    if (present.length === 0) return false
    if (readAt === undefined || now < readAt || now >= readAt + rereadMs) return true
    return present.some(({ condition: { key }, delayMs = 0 }) => {
      const since = this.#options.pendingSince(key)
      return since !== undefined && now >= since + delayMs
    })
  }
}

/** What this agent knows of its own follower counts, not that its lease shows it alive. */
function asFollowed(freshness: Freshness, facts: FollowFacts | undefined, now: number): Freshness {
  if (facts?.state === 'following') {
    const covered = coveredBy(facts, now)
    return { ...freshness, coveredAt: covered, coveredUntil: covered }
  }
  const isElsewhere = facts?.error === undefined || hasCode(facts.error, 'LEASE_HELD', 'LEASE_LOST')
  return isElsewhere ? freshness : { ...freshness, coveredUntil: freshness.coveredAt }
}

/** By when everything that had been committed is in the repository. */
function coveredBy({ lagMs, trouble, waiting, since, lastUploadAt }: FollowFacts, now: number): number | undefined {
  if (waiting.gaveUpAfter !== undefined) return lastUploadAt
  return trouble === undefined ? now - lagMs : Math.min(now - lagMs, since)
}

/** @param read undefined if there is nothing that could be covered */
function notBefore(read: number | undefined, known = 0): number | undefined {
  return read === undefined ? undefined : Math.max(read, known)
}
