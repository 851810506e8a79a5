/** What verifications and drills found, as the repository remembers it. */
import { toHoldfastError } from '../errors.ts'
import { readDrills } from '../repository/drill-record.ts'
import type { Repository } from '../repository/repository.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import { isInFuture } from '../util/clock-margin.ts'
import type { AgentLog } from './agent-log.ts'
import type { Metrics } from './metrics/metrics.ts'
import { observeDamage } from './notify/conditions/damage.ts'
import { observeDrills } from './notify/conditions/drills.ts'
import { drillKey } from './notify/conditions/operation.ts'
import type { Notifier } from './notify/notifier.ts'
import { ToldOnce } from './told-once.ts'

export interface RepositoryWatchContext {
  readonly repository: Repository
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly log: AgentLog
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** When each was last done by anybody, whatever it found: milliseconds since 1970; undefined: never, as far as the repository shows. */
export interface LastChecks {
  readonly verifiedAt: number | undefined
  readonly drilledAt: number | undefined
}

export class RepositoryWatch {
  readonly #context: RepositoryWatchContext
  /** By name: of what could not be read. */
  readonly #unread = new ToldOnce()

  constructor(context: RepositoryWatchContext) {
    this.#context = context
  }

  /**
   * After a verification or drill, and when the agent begins to look after a database. Never fails: what cannot be read is in the log.
   * @returns undefined if it could not be read
   */
  async readVerifications(name: string, signal: AbortSignal): Promise<LastChecks | undefined> {
    try {
      const checks = await this.read(name, signal)
      this.#unread.isOver(name)
      return checks
    } catch (thrown) {
      const { message } = toHoldfastError(thrown, name)
      if (!signal.aborted && this.#unread.isNew(name, message))
        this.#context.log.warn(`What was verified of ${name} could not be read. ${message}`)
      return undefined
    }
  }

  /** @throws STORAGE_*, FORMAT_TOO_NEW, ABORTED */
  async read(name: string, signal: AbortSignal): Promise<LastChecks> {
    const { repository, notifier, metrics } = this.#context
    const database = repository.database(name)
    const ledger = await readLedger(database, { signal })
    const now = this.#context.now()
    const drills = await readDrills(database, { signal, now })
    const known = notifier.firing.find(({ key }) => key === drillKey(name))
    notifier.observe([...observeDamage(name, ledger), ...observeDrills(name, drills, known?.since)])
    const found = [...Object.values(ledger.segments), ...Object.values(ledger.restores)]
    const sound = [
      ...found.filter(({ ok }) => ok).map(({ checkedAt }) => checkedAt),
      ...drills.filter(({ verdict }) => verdict === 'passed').map(({ drilledAt }) => drilledAt),
    ]
    const newest = newestOf(sound, now)
    if (newest !== undefined) metrics.setLastVerified(name, newest)
    return {
      verifiedAt: newestOf(
        found.map(({ checkedAt }) => checkedAt),
        now,
      ),
      drilledAt: newestOf(
        drills.map(({ drilledAt }) => drilledAt),
        now,
      ),
    }
  }
}

/** What is dated in the future does not count. */
function newestOf(times: readonly string[], now: number): number | undefined {
  const past = times.filter((time) => !isInFuture(time, now)).map((time) => Date.parse(time))
  return past.length === 0 ? undefined : past.reduce((a, b) => Math.max(a, b))
}
