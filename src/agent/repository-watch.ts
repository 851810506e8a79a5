/** What verifications found, as the repository remembers it. */
import { toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import type { AgentLog } from './agent-log.ts'
import type { Metrics } from './metrics/metrics.ts'
import { observeDamage } from './notify/conditions/damage.ts'
import type { Notifier } from './notify/notifier.ts'

export interface RepositoryWatchContext {
  readonly repository: Repository
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly log: AgentLog
}

export class RepositoryWatch {
  readonly #context: RepositoryWatchContext

  constructor(context: RepositoryWatchContext) {
    this.#context = context
  }

  /** After a verification, and when the agent begins to look after a database. Never fails: what cannot be read is in the log. */
  async readVerifications(name: string, signal: AbortSignal): Promise<void> {
    const { repository, notifier, metrics } = this.#context
    try {
      const ledger = await readLedger(repository.database(name), { signal })
      notifier.observe(observeDamage(name, ledger))
      const times = [...Object.values(ledger.segments), ...Object.values(ledger.restores)].map(({ checkedAt }) =>
        Date.parse(checkedAt),
      )
      const newest = times.reduce((a, b) => Math.max(a, b), 0)
      if (newest > 0) metrics.setLastVerified(name, newest)
    } catch (thrown) {
      this.#complain(`What was verified of ${name} could not be read.`, thrown, signal)
    }
  }

  #complain(what: string, thrown: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#context.log.warn(`${what} ${toHoldfastError(thrown).message}`)
  }
}
