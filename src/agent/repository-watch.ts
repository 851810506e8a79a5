/** What is read from the repository now and then: what verifications found, and whether other agents' databases are left alone. */
import { toHoldfastError } from '../errors.ts'
import { abandonedLease } from '../repository/lease.ts'
import type { Repository } from '../repository/repository.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import type { AgentLog } from './agent-log.ts'
import type { Metrics } from './metrics/metrics.ts'
import { conditionKey } from './notify/alert.ts'
import { observeDamage } from './notify/conditions/damage.ts'
import type { Observation } from './notify/engine/advance.ts'
import type { Notifier } from './notify/notifier.ts'

export interface RepositoryWatchContext {
  readonly repository: Repository
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly log: AgentLog
  readonly now: () => number
  /** Names of the databases that this agent looks after. */
  readonly own: () => ReadonlySet<string>
}

/** Other agents are looked after so often. */
const othersMs = 3_600_000
/** An agent that is being restarted is back within this time. */
const patienceMs = 15 * 60_000

export class RepositoryWatch {
  readonly #context: RepositoryWatchContext
  #othersAt = 0
  /** Databases of others that were told of. */
  #told = new Set<string>()

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

  /**
   * A database that somebody else followed, and whose follower is gone without having let go, is told of: whoever should notice that
   * their agent died may be that agent.
   */
  async lookAtOthers(signal: AbortSignal): Promise<void> {
    const { repository, notifier, own, now } = this.#context
    if (now() >= this.#othersAt && now() < this.#othersAt + othersMs) return
    this.#othersAt = now()
    try {
      const mine = own()
      const observations: Observation[] = []
      const told = new Set<string>()
      for (const name of await repository.databaseNames({ signal })) {
        if (mine.has(name)) continue
        const lease = await abandonedLease(repository.database(name), { signal })
        if (lease === undefined || lease.purpose !== 'follow' || now() < Date.parse(lease.acquiredAt) + patienceMs)
          continue
        told.add(name)
        const { host, pid } = lease.owner
        const summary = `Nobody follows ${name} any more: process ${pid} on ${host} ended without letting go.`
        const hint = `See whether the agent on ${host} runs.`
        const details = { host, pid, followedSince: lease.acquiredAt }
        const key = conditionKey('overdue', name)
        const about = { key, kind: 'overdue', severity: 'critical', database: name } as const
        observations.push({ what: 'present', condition: { ...about, summary, hint, details } })
      }
      for (const name of this.#told)
        if (!told.has(name) && !mine.has(name))
          observations.push({ what: 'absent', key: conditionKey('overdue', name) })
      this.#told = told
      notifier.observe(observations)
    } catch (thrown) {
      this.#complain('The databases of other agents could not be looked at.', thrown, signal)
    }
  }

  #complain(what: string, thrown: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#context.log.warn(`${what} ${toHoldfastError(thrown).message}`)
  }
}
