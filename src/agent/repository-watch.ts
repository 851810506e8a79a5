/** What verifications and drills found, as the repository remembers it. */
import { toHoldfastError } from '../errors.ts'
import { readDrills } from '../repository/drill-record.ts'
import type { Repository } from '../repository/repository.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import type { AgentLog } from './agent-log.ts'
import type { Metrics } from './metrics/metrics.ts'
import { observeDamage } from './notify/conditions/damage.ts'
import { observeDrills } from './notify/conditions/drills.ts'
import { drillKey } from './notify/conditions/operation.ts'
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

  /** After a verification or drill, and when the agent begins to look after a database. Never fails: what cannot be read is in the log. */
  async readVerifications(name: string, signal: AbortSignal): Promise<void> {
    try {
      await this.read(name, signal)
    } catch (thrown) {
      this.#complain(`What was verified of ${name} could not be read.`, thrown, signal)
    }
  }

  /** @throws STORAGE_*, FORMAT_TOO_NEW, ABORTED */
  async read(name: string, signal: AbortSignal): Promise<void> {
    const { repository, notifier, metrics } = this.#context
    const database = repository.database(name)
    const ledger = await readLedger(database, { signal })
    const drills = await readDrills(database, { signal })
    const known = notifier.firing.find(({ key }) => key === drillKey(name))
    notifier.observe([...observeDamage(name, ledger), ...observeDrills(name, drills, known?.since)])
    const times = [...Object.values(ledger.segments), ...Object.values(ledger.restores)].map(({ checkedAt }) =>
      Date.parse(checkedAt),
    )
    const newest = times.reduce((a, b) => Math.max(a, b), 0)
    if (newest > 0) metrics.setLastVerified(name, newest)
  }

  #complain(what: string, thrown: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#context.log.warn(`${what} ${toHoldfastError(thrown).message}`)
  }
}
