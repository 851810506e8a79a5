/** Whether the work of other agents on the same repository is done: whoever should notice that an agent died may be that agent. */
import { hasCode, toHoldfastError } from '../../errors.ts'
import { followingLease } from '../../repository/free-lease.ts'
import type { Repository } from '../../repository/repository.ts'
import type { AgentLog } from '../agent-log.ts'
import type { FoundDatabase } from '../discovery/discover.ts'
import { type Alert, type Condition, conditionKey } from '../notify/alert.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { CheckRuns } from './check-runs.ts'
import type { LetGo } from './free-own-lease.ts'
import { isPassing } from './is-passing.ts'
import { patienceMs } from './overdue-work.ts'
import { ownOverdue } from './own-overdue.ts'
import type { Evidence } from './read-evidence.ts'
import type { RecordKeeper } from './record-keeper.ts'
import { repositoryOverdue } from './repository-overdue.ts'
import { isUnknownKey, unknownKey, unknownWork } from './unknown-work.ts'

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
  /** What this agent verifies and drills itself, as of now. */
  readonly runs: () => CheckRuns
  /** Lets go of a database that is not looked after any more, should a former run have been killed before it could. */
  readonly letGo: (database: string, signal: AbortSignal) => Promise<LetGo>
}

/** The repository is asked so often. */
const everyMs = 3_600_000
/** That it cannot be asked is told after so long: a repository may be away for a while. */
const blindMs = 3 * everyMs
/** Where the databases lie, and all that agents are expected to do. */
const allDatabases = 'databases/'
const allAgents = 'agents/'

export class OtherAgents {
  readonly #context: OtherAgentsContext
  readonly #known = new Map<string, Evidence>()
  readonly #ownKnown = { verify: new Map<string, Evidence>(), drill: new Map<string, Evidence>() }
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
   * nothing. Never fails: what cannot be read is told.
   */
  async look(signal: AbortSignal): Promise<void> {
    const { keeper, own, deleted, notifier, now, log } = this.#context
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
      const unknown = await this.#letGoOfDropped(signal)
      await this.#tell(unknown, signal)
      notifier.observe([{ what: 'absent', key: unknownKey(allAgents) }])
    } catch (thrown) {
      if (signal.aborted) return
      const { message } = toHoldfastError(thrown)
      log.warn(`The databases of other agents could not be looked at. ${message}`)
      // That the repository is gone is told for itself.
      if (hasCode(thrown, 'REPOSITORY_NOT_FOUND')) return
      const condition = unknownWork(allAgents, message, 'the databases of other agents')
      notifier.observe([{ what: 'present', condition, delayMs: blindMs }])
    }
  }

  /** @returns those of which that could not be done, with the reason */
  async #letGoOfDropped(signal: AbortSignal): Promise<Map<string, string>> {
    const { keeper, own, deleted, letGo, log } = this.#context
    const unknown = new Map<string, string>()
    const mine = new Set(own().map(({ name }) => name))
    for (const name of this.#letGo) if (mine.has(name)) this.#letGo.delete(name)
    for (const name of new Set([...keeper.dropped, ...deleted()])) {
      if (mine.has(name) || this.#letGo.has(name)) continue
      await orUnknown(name, unknown, signal, async () => {
        const state = await letGo(name, signal)
        if (state === 'freed') log.debug(`What a former run had not let go of is free now: ${name}.`)
        if (state !== 'in-use') this.#letGo.add(name)
      })
    }
    return unknown
  }

  async #tell(problems: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const { repository, keeper, notifier, now, own, runs } = this.#context
    const mine = new Set(own().map(({ name }) => name))
    const options = { except: mine, asker: keeper.id, known: this.#known, signal }
    const { records, expected, ...others } = await repositoryOverdue(repository, now(), options)
    const record = records.find(({ id }) => id === keeper.id)
    const firing = new Set(notifier.firing.map(({ key }) => key))
    const ofOwn = { names: mine, known: this.#ownKnown, runs: runs(), firing, signal }
    const ours = await ownOverdue(repository, record, now(), ofOwn)
    const unknown = new Map([...problems, ...others.unknown, ...ours.unknown])
    const conditions = [...others.overdue, ...ours.overdue]
    const look = async () => conditions.push(...(await this.#allAbandoned(expected, unknown, signal)))
    await orUnknown(allDatabases, unknown, signal, look)
    conditions.push(...[...unknown].map(([id, problem]) => unknownWork(id, problem)))
    const present = new Set(conditions.map(({ key }) => key))
    const isOver = ({ key, kind, database }: Pick<Alert, 'key' | 'kind' | 'database'>): boolean => {
      if (kind !== 'overdue' || present.has(key) || key === unknownKey(allAgents)) return false
      if (isUnknownKey(key)) return true
      if (database === undefined || unknown.has(database)) return false
      if (mine.has(database)) return key !== conditionKey(kind, database)
      return expected.has(database) || !unknown.has(allDatabases)
    }
    notifier.observe([
      ...conditions.map((condition) => ({ what: 'present', condition }) as const),
      ...notifier.firing.filter(isOver).map(({ key }) => ({ what: 'absent', key }) as const),
    ])
  }

  /** Of those of which no agent is expected to do anything. */
  async #allAbandoned(
    expected: ReadonlyMap<string, unknown>,
    unknown: Map<string, string>,
    signal: AbortSignal,
  ): Promise<readonly Condition[]> {
    const { repository, own, deleted } = this.#context
    const others = new Set([...own().map(({ name }) => name), ...deleted(), ...expected.keys()])
    const conditions: Condition[] = []
    for (const name of await repository.databaseNames({ signal })) {
      if (others.has(name)) continue
      await orUnknown(name, unknown, signal, async () => conditions.push(...(await this.#abandoned(name, signal))))
    }
    return conditions
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

/** What keeps from looking at one thing keeps from looking at no other, unless it is the same for all. @throws what {@link isPassing} */
async function orUnknown(
  id: string,
  unknown: Map<string, string>,
  signal: AbortSignal,
  look: () => Promise<unknown>,
): Promise<void> {
  try {
    await look()
  } catch (thrown) {
    if (isPassing(thrown, signal)) throw thrown
    unknown.set(id, toHoldfastError(thrown, id).message)
  }
}
