import { type AgentRecord, putAgentRecord, readAgentRecord } from '../../repository/agent-record.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import type { FoundDatabase } from '../discovery/discover.ts'
import { namesOf, ownRecord, type RecordOwner, saysTheSame } from './own-record.ts'

/** What was expected of a database goes on for so long after it was dropped: one that comes back meanwhile was never gone. */
const lingerMs = 3_600_000

export interface KeepOptions extends OperationOptions {
  readonly deleted?: ReadonlySet<string> | undefined
}

/** Keeps the record of this agent in the repository; writes only when something has changed. */
export class RecordKeeper {
  readonly #storage: BackupStorage
  readonly #owner: RecordOwner
  /** As it lies in the repository; undefined as long as that was not asked for. */
  #written: { readonly record: AgentRecord | undefined } | undefined
  /** Since when each database is dropped. */
  readonly #dropped = new Map<string, number>()
  #lastDropped: readonly string[] = []

  constructor(storage: BackupStorage, owner: RecordOwner) {
    this.#storage = storage
    this.#owner = owner
  }

  /** Of the agent. */
  get id(): string {
    return this.#owner.id
  }

  /** Names of databases that it was expected to look after when the record was last kept, and does not. */
  get dropped(): readonly string[] {
    return this.#lastDropped
  }

  /**
   * @param now milliseconds since 1970
   * @param options `deleted`: names of databases of which nothing is expected any more from this moment on
   * @returns whether something was written
   * @throws STORAGE_*, FORMAT_TOO_NEW, DISK_FULL, ABORTED
   */
  async keep(
    databases: readonly FoundDatabase[],
    now: number,
    { deleted = new Set(), ...options }: KeepOptions = {},
  ): Promise<boolean> {
    const owner = this.#owner
    this.#written ??= { record: await readAgentRecord(this.#storage, owner.id, options) }
    const former = this.#written.record
    const lingering = this.#lingering(databases, former, now).difference(deleted)
    const record = ownRecord(owner, databases, former, lingering, now)
    if (former !== undefined && saysTheSame(record, former)) return false
    // If that fails, it is not known what lies there.
    this.#written = undefined
    await putAgentRecord(this.#storage, record, options)
    this.#written = { record }
    return true
  }

  #lingering(databases: readonly FoundDatabase[], former: AgentRecord | undefined, now: number): Set<string> {
    const present = new Set(databases.map(({ name }) => name))
    const gone = new Set((former === undefined ? [] : namesOf(former)).filter((name) => !present.has(name)))
    for (const name of this.#dropped.keys()) if (!gone.has(name)) this.#dropped.delete(name)
    for (const name of gone) if (!this.#dropped.has(name)) this.#dropped.set(name, now)
    this.#lastDropped = [...gone]
    return new Set(
      [...this.#dropped].filter(([, since]) => now >= since && now < since + lingerMs).map(([name]) => name),
    )
  }
}
