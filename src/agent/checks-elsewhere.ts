import { hasCode, toHoldfastError } from '../errors.ts'
import type { AgentLog } from './agent-log.ts'
import { awayCodes } from './away-codes.ts'
import type { Journal } from './journal/journal.ts'
import type { RecordedOperation } from './journal/recorded-operation.ts'
import type { RepositoryWatch } from './repository-watch.ts'

export interface ChecksElsewhereContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: { readonly url: string }
  readonly repositoryWatch: { readonly read: (...of: Parameters<RepositoryWatch['read']>) => Promise<unknown> }
  /** Names of the databases that the agent looks after. */
  readonly databases: () => readonly string[]
  readonly log: Pick<AgentLog, 'warn'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const kinds = ['verify', 'drill'] as const
/** Of what somebody else than the agent began. */
const triggers = ['manual', 'library'] as const
/** So often the repository is asked what other machines found. */
const everyMs = 6 * 3_600_000
/** What a command of this machine began longer ago is not waited for. */
const longestMs = 24 * 3_600_000
/** So many databases are asked about in one round, which others wait for. */
const mostAtOnce = 20
/** A repository that is away takes its time to say so, and is asked again after this. */
const awayMs = 5 * 60_000

/**
 * Verifications and drills that somebody else made: a command or an application on this machine, which the journal tells of at once, or another
 * machine, of which the repository does. What they found is told as if the agent had.
 */
export class ChecksElsewhere {
  readonly #context: ChecksElsewhereContext
  /** Ids of those that ended and were looked at; undefined before the first look. */
  #seen: ReadonlySet<string> | undefined
  #askedAt: number
  /** Names of databases of which something was found on this machine, and is to be read. */
  readonly #found = new Set<string>()
  /** Names of those of which another machine may have found something. */
  readonly #others = new Set<string>()
  /** Names of those of which it was told not long ago that they cannot be read. */
  readonly #told = new Set<string>()
  /** When the repository was found to be away, since it last answered. */
  #awayAt: number | undefined

  constructor(context: ChecksElsewhereContext) {
    this.#context = context
    // The first look at each database reads it all.
    this.#askedAt = context.now()
  }

  /** @throws INTERNAL, ACCESS_DENIED, DISK_FULL where the journal cannot be read */
  async look(signal: AbortSignal): Promise<void> {
    const { databases, now } = this.#context
    if (now() < this.#askedAt || now() >= this.#askedAt + everyMs) {
      this.#askedAt = now()
      for (const name of databases()) this.#others.add(name)
      this.#told.clear()
    }
    await this.#askJournal()
    await this.#read(signal)
  }

  async #askJournal(): Promise<void> {
    const { journal, repository, databases, now } = this.#context
    const query = { repository: repository.url, since: now() - longestMs }
    const ended: RecordedOperation[] = []
    for (const kind of kinds)
      for (const trigger of triggers)
        ended.push(
          ...(await journal.operations({ ...query, kind, trigger })).filter(({ outcome }) => outcome !== 'running'),
        )
    const seen = this.#seen
    this.#seen = new Set(ended.map(({ id }) => id))
    if (seen === undefined) return
    const fresh = ended.filter(({ id }) => !seen.has(id))
    for (const name of databases())
      if (fresh.some(({ database }) => database === undefined || database === name)) this.#found.add(name)
  }

  /** What cannot be read while the repository is away is left for later. */
  async #read(signal: AbortSignal): Promise<void> {
    const { repositoryWatch, databases, log, now } = this.#context
    if (this.#awayAt !== undefined && now() >= this.#awayAt && now() < this.#awayAt + awayMs) return
    const known = new Set(databases())
    for (const queue of [this.#found, this.#others]) for (const name of queue) if (!known.has(name)) queue.delete(name)
    for (const name of [...new Set([...this.#found, ...this.#others])].slice(0, mostAtOnce)) {
      if (signal.aborted) return
      try {
        await repositoryWatch.read(name, signal)
        this.#awayAt = undefined
      } catch (thrown) {
        if (signal.aborted) return
        const error = toHoldfastError(thrown, name)
        const isAway = hasCode(error, ...awayCodes)
        if (this.#awayAt === undefined && !this.#told.has(name))
          log.warn(`What others verified of ${name} could not be read. ${error.message}`)
        this.#told.add(name)
        if (isAway) {
          this.#awayAt = now()
          // It may be this one alone.
          for (const queue of [this.#found, this.#others]) if (queue.delete(name)) queue.add(name)
          return
        }
      }
      this.#found.delete(name)
      this.#others.delete(name)
    }
  }
}
