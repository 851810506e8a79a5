import { hasCode, toHoldfastError } from '../errors.ts'
import type { AgentLog } from './agent-log.ts'
import { awayCodes } from './away-codes.ts'
import type { Journal } from './journal/journal.ts'
import type { RepositoryWatch } from './repository-watch.ts'

export interface ChecksElsewhereContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: { readonly url: string }
  readonly repositoryWatch: Pick<RepositoryWatch, 'read' | 'readVerifications'>
  /** Names of the databases that the agent looks after. */
  readonly databases: () => readonly string[]
  readonly log: Pick<AgentLog, 'warn'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** So often the repository is asked what other machines found. */
const everyMs = 6 * 3_600_000
/** What a command of this machine began longer ago is not waited for. */
const longestMs = 24 * 3_600_000

/**
 * Verifications and drills that somebody else made: a command or an application on this machine, which the journal tells of at once, or another
 * machine, of which the repository does. What they found is told as if the agent had.
 */
export class ChecksElsewhere {
  readonly #context: ChecksElsewhereContext
  /** Ids of those that ended and were looked at; undefined before the first look. */
  #seen: ReadonlySet<string> | undefined
  #askedAt: number

  constructor(context: ChecksElsewhereContext) {
    this.#context = context
    // The first look at each database reads it all.
    this.#askedAt = context.now()
  }

  /** @throws INTERNAL, ACCESS_DENIED, DISK_FULL where the journal cannot be read */
  async look(signal: AbortSignal): Promise<void> {
    const { now } = this.#context
    if (now() < this.#askedAt || now() >= this.#askedAt + everyMs) {
      this.#askedAt = now()
      await this.#askRepository(signal)
    }
    await this.#askJournal(signal)
  }

  async #askJournal(signal: AbortSignal): Promise<void> {
    const { journal, repository, repositoryWatch, databases, now } = this.#context
    const query = { repository: repository.url, since: now() - longestMs }
    const operations = [
      ...(await journal.operations({ ...query, trigger: 'manual' })),
      ...(await journal.operations({ ...query, trigger: 'library' })),
    ]
    const ended = operations.filter(
      ({ kind, outcome }) => (kind === 'verify' || kind === 'drill') && outcome !== 'running',
    )
    const seen = this.#seen
    this.#seen = new Set(ended.map(({ id }) => id))
    if (seen === undefined) return
    const fresh = ended.filter(({ id }) => !seen.has(id))
    for (const name of databases()) {
      const concerns = fresh.some(({ database }) => database === undefined || database === name)
      if (concerns && !signal.aborted) await repositoryWatch.readVerifications(name, signal)
    }
  }

  async #askRepository(signal: AbortSignal): Promise<void> {
    const { repositoryWatch, databases, log } = this.#context
    for (const name of databases()) {
      if (signal.aborted) return
      try {
        await repositoryWatch.read(name, signal)
      } catch (thrown) {
        if (signal.aborted) return
        const error = toHoldfastError(thrown, name)
        log.warn(`What others verified of ${name} could not be read. ${error.message}`)
        if (hasCode(error, ...awayCodes)) return
      }
    }
  }
}
