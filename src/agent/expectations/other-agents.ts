/** Whether the work of other agents on the same repository is done: whoever should notice that an agent died may be that agent. */
import { toHoldfastError } from '../../errors.ts'
import { followingLease } from '../../repository/free-lease.ts'
import type { Repository } from '../../repository/repository.ts'
import type { AgentLog } from '../agent-log.ts'
import type { FoundDatabase } from '../discovery/discover.ts'
import { type Condition, conditionKey } from '../notify/alert.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { LetGo } from './free-own-lease.ts'
import { patienceMs } from './overdue-work.ts'
import type { Evidence } from './read-evidence.ts'
import type { RecordKeeper } from './record-keeper.ts'
import { repositoryOverdue } from './repository-overdue.ts'

export interface OtherAgentsContext {
  readonly repository: Repository
  readonly keeper: Pick<RecordKeeper, 'keep' | 'id' | 'dropped'>
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  readonly log: Pick<AgentLog, 'warn' | 'debug'>
  readonly now: () => number
  /** The databases that this agent looks after. */
  readonly own: () => readonly FoundDatabase[]
  /** Names of databases that their owner deleted: nothing is expected of them any more. */
  readonly deleted: () => ReadonlySet<string>
  /** Lets go of a database that is not looked after any more, should a former run have been killed before it could. */
  readonly letGo: (database: string, signal: AbortSignal) => Promise<LetGo>
}

/** The repository is asked so often. */
const everyMs = 3_600_000

export class OtherAgents {
  readonly #context: OtherAgentsContext
  readonly #known = new Map<string, Evidence>()
  /** Names of databases that were let go of. */
  readonly #letGo = new Set<string>()
  #lookedAt = 0

  constructor(context: OtherAgentsContext) {
    this.#context = context
  }

  /** What is expected of this agent has changed: others are told with the next look, which is due now. */
  changed(): void {
    this.#lookedAt = 0
  }

  /**
   * Writes down in the repository what is expected of this agent, and tells what others left undone. Once an hour; between, it does
   * nothing. Never fails: what cannot be read is in the log.
   */
  async look(signal: AbortSignal): Promise<void> {
    const { keeper, own, deleted, now, log } = this.#context
    if (now() >= this.#lookedAt && now() < this.#lookedAt + everyMs) return
    this.#lookedAt = now()
    try {
      if (await keeper.keep(own(), now(), { deleted: deleted(), signal }))
        log.debug('What is expected of this agent was written down in the repository.')
    } catch (thrown) {
      if (signal.aborted) return
      log.warn(`What is expected of this agent could not be written down. ${toHoldfastError(thrown).message}`)
    }
    try {
      await this.#letGoOfDropped(signal)
      await this.#tell(signal)
    } catch (thrown) {
      if (signal.aborted) return
      log.warn(`The databases of other agents could not be looked at. ${toHoldfastError(thrown).message}`)
    }
  }

  async #letGoOfDropped(signal: AbortSignal): Promise<void> {
    const { keeper, own, deleted, letGo, log } = this.#context
    const mine = new Set(own().map(({ name }) => name))
    for (const name of this.#letGo) if (mine.has(name)) this.#letGo.delete(name)
    for (const name of new Set([...keeper.dropped, ...deleted()])) {
      if (mine.has(name) || this.#letGo.has(name)) continue
      const state = await letGo(name, signal)
      if (state === 'freed') log.debug(`What a former run had not let go of is free now: ${name}.`)
      if (state !== 'in-use') this.#letGo.add(name)
    }
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { repository, keeper, notifier, log, now, own, deleted } = this.#context
    const mine = new Set(own().map(({ name }) => name))
    const options = { except: mine, asker: keeper.id, known: this.#known, signal }
    const { expected, overdue, unknown } = await repositoryOverdue(repository, now(), options)
    for (const [what, problem] of unknown) log.warn(`What is overdue of ${what} cannot be told. ${problem}`)
    const known = new Set([...mine, ...deleted(), ...expected.keys()])
    const others = (await repository.databaseNames({ signal })).filter((name) => !known.has(name))
    const conditions = [...overdue]
    for (const name of others) conditions.push(...(await this.#abandoned(name, signal)))
    const present = new Set(conditions.map(({ key }) => key))
    const over = notifier.firing.filter(
      ({ key, kind, database }) =>
        kind === 'overdue' &&
        database !== undefined &&
        !mine.has(database) &&
        !present.has(key) &&
        !unknown.has(database),
    )
    notifier.observe([
      ...conditions.map((condition) => ({ what: 'present', condition }) as const),
      ...over.map(({ key }) => ({ what: 'absent', key }) as const),
    ])
  }

  /** What was followed without an agent, and whose follower is gone without having let go. */
  async #abandoned(name: string, signal: AbortSignal): Promise<readonly Condition[]> {
    const { repository, now } = this.#context
    const lease = await followingLease(repository.database(name), { signal })
    if (lease === undefined || lease.isHeld) return []
    const { owner, acquiredAt } = lease.document
    if (now() < Date.parse(acquiredAt) + patienceMs) return []
    const { host, pid } = owner
    const condition: Condition = {
      key: conditionKey('overdue', name),
      kind: 'overdue',
      severity: 'critical',
      database: name,
      summary: `Nobody follows ${name} any more: process ${pid} on ${host} ended without letting go.`,
      hint: `See whether what followed it on ${host} runs. If it never will again: "holdfast agents forget --database ${name}".`,
      details: { host, pid, followedSince: acquiredAt },
    }
    return [condition]
  }
}
