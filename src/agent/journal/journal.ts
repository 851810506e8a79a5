import type { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, toHoldfastError } from '../../errors.ts'
import { currentProcess, type ProcessIdentity } from '../../util/process-identity.ts'
import type { Actor } from './audit/actor.ts'
import type { AuditEntry, AuditParameters, ChainHead, StoredEntry } from './audit/audit-entry.ts'
import { appendEntry, selectEntries, selectHash, selectHead } from './audit/audit-rows.ts'
import { Heartbeat } from './heartbeat.ts'
import { JournalFile } from './journal-file.ts'
import { defaultJournalPath } from './journal-path.ts'
import type { Operation, OperationEnd, OperationKind, OperationStart } from './operation.ts'
import { operationId } from './operation-id.ts'
import {
  type BegunOperation,
  deleteBefore,
  deleteOperation,
  insertBegun,
  insertFound,
  type OperationQuery,
  ranWithin,
  selectDatabases,
  selectOperations,
  updateEnded,
  updateSeen,
} from './operation-rows.ts'
import type { RecordedOperation } from './recorded-operation.ts'
import { WriteQueue } from './write-queue.ts'

/** Two years. */
const defaultKeepMs = 2 * 365 * 24 * 60 * 60_000

/** Of some kinds a repository does not know which operation it was: these, at that time, are it. */
const tellingOfThe: Partial<Record<OperationKind, readonly OperationKind[]>> = {
  verify: ['verify', 'drill'],
  drill: ['drill'],
}

export interface JournalOptions {
  /** Who acts, for the audit log. */
  readonly actor: Actor
  /** With whose end operations that have not ended are over; default: this process. */
  readonly process?: ProcessIdentity | undefined
  /** Told, once each, what keeps operations from being recorded; they go on. */
  readonly onWarning: (message: string, object: string, code: ErrorCode) => void
  /** Default: in the user's state folder. */
  readonly path?: string | undefined
  /** Milliseconds since 1970; default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** Operations that began longer ago are forgotten, in milliseconds; default: two years. The audit log is kept whole. */
  readonly keepMs?: number | undefined
}

/** An operation that has begun. */
export interface OperationHandle {
  readonly id: string
  /** Records how it ended. Call it once. Never fails. */
  end(end: OperationEnd): Promise<void>
}

/** What a repository tells of; `origin` names it there, so that it is entered once. */
export interface FoundOperation {
  readonly origin: string
  readonly operation: Omit<Operation, 'id' | 'repository'>
}

/** What is newly known of the audit log, for a note of it elsewhere. */
export interface AuditState {
  readonly head: ChainHead
  /** Whether this process began the chain. */
  readonly isNew: boolean
}

/**
 * What was done on this machine by this user: the history of operations, which may be lost and rebuilt, and the audit log, which is only ever
 * added to. Any number of processes use it at once.
 */
export class Journal {
  readonly #file: JournalFile
  readonly #queue: WriteQueue
  readonly #options: JournalOptions
  readonly #now: () => number
  readonly #keepMs: number
  readonly #process: string
  readonly #heartbeat = new Heartbeat(() => void this.recordSeen(this.#now()))
  readonly #warned = new Set<string>()
  #audit: AuditState | undefined
  #beganChain: boolean | undefined
  #isPruned = false
  #begun = 0

  /** Touches nothing yet. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#keepMs = options.keepMs ?? defaultKeepMs
    this.#process = JSON.stringify(options.process ?? currentProcess())
    const path = options.path ?? defaultJournalPath()
    this.#file = new JournalFile(path, (movedTo) =>
      this.#warn(
        `The journal was damaged. It was moved to ${movedTo}, and a new one begun. "holdfast history --rebuild" brings back what the repository knows; the audit log so far is in the file that was moved.`,
        path,
        'INTEGRITY',
      ),
    )
    this.#queue = new WriteQueue(this.#file)
  }

  get path(): string {
    return this.#file.path
  }

  /** The audit log as this process last left it; undefined before it added an entry. */
  get auditState(): AuditState | undefined {
    return this.#audit
  }

  /**
   * Records that an operation begins, durably. Never fails: what cannot be recorded is a warning.
   * @param parameters what was asked for, for the audit log; no secrets, and nothing that may hold one
   */
  async begin(start: OperationStart, parameters: AuditParameters = {}): Promise<OperationHandle> {
    const startedAt = this.#now()
    const begun = { ...start, id: this.#newId(startedAt), startedAt }
    await this.recordBegin(begun, parameters)
    this.#heartbeat.begin()
    return {
      id: begun.id,
      end: async (end) => {
        const endedAt = this.#now()
        this.#heartbeat.end()
        await this.recordEnd(begun, end, parameters, endedAt)
      },
    }
  }

  /** The first half of {@link begin}, for an operation of another process. Never fails. */
  async recordBegin(begun: BegunOperation, parameters: AuditParameters): Promise<AuditState | undefined> {
    const { startedAt } = begun
    const prunes = !this.#isPruned
    const audit = await this.#record((database) => {
      // Once in the life of a process is enough.
      if (prunes) deleteBefore(database, startedAt - this.#keepMs)
      insertBegun(database, begun, this.#process)
      return this.#append(database, begun, 'begin', parameters, startedAt)
    })
    if (audit !== undefined) this.#isPruned = true
    this.#audit = audit ?? this.#audit
    return audit
  }

  /** How it ended, also where nothing is known of its begin. Never fails. @param endedAt milliseconds since 1970 */
  async recordEnd(
    begun: BegunOperation,
    end: OperationEnd,
    parameters: AuditParameters,
    endedAt: number,
  ): Promise<AuditState | undefined> {
    const audit = await this.#record((database) => {
      if (wasMisused(begun, end)) deleteOperation(database, begun.id)
      else updateEnded(database, begun, end, { process: this.#process, endedAt })
      return this.#append(database, begun, 'end', parameters, endedAt, end)
    })
    this.#audit = audit ?? this.#audit
    return audit
  }

  /** That the process is there, in whose life operations run. Never fails. @param time milliseconds since 1970 */
  async recordSeen(time: number): Promise<void> {
    await this.#record((database) => updateSeen(database, this.#process, time))
  }

  /** Oldest first. @throws ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW */
  async operations(query: OperationQuery = {}): Promise<RecordedOperation[]> {
    return (await this.#file.read((database) => selectOperations(database, query, this.#now()))) ?? []
  }

  /** The databases of which operations are recorded, sorted. @param repository only operations on this one */
  async databaseNames(repository?: string): Promise<string[]> {
    return (await this.#file.read((database) => selectDatabases(database, repository))) ?? []
  }

  /** When a repository was last asked for what it knows, in milliseconds since 1970. */
  async rebuiltAt(repository: string): Promise<number | undefined> {
    const row = await this.#file.read((database) =>
      database.prepare('SELECT at FROM rebuilt WHERE repository = ?').get(repository),
    )
    return row === undefined ? undefined : Number(row['at'])
  }

  /**
   * Enters what a repository tells of. What is known already, or too old to be kept, is left out; so it can be repeated. Returns how many were new.
   * @throws ACCESS_DENIED, DATABASE_BUSY, DISK_FULL, FORMAT_TOO_NEW
   */
  async merge(repository: string, found: readonly FoundOperation[]): Promise<number> {
    const now = this.#now()
    return await this.#file.write((database) => {
      const isNew = ({ origin, operation }: FoundOperation) => {
        if (operation.startedAt < now - this.#keepMs) return false
        const whole = { ...operation, repository, id: this.#newId(operation.startedAt) }
        // A repository says only when something was checked: within a check that is known, it tells of that one.
        const checks = tellingOfThe[operation.kind]
        if (checks !== undefined && ranWithin(database, whole, checks)) return false
        return insertFound(database, whole, origin)
      }
      const added = found.filter(isNew).length
      database.prepare('INSERT OR REPLACE INTO rebuilt (repository, at) VALUES (?, ?)').run(repository, now)
      return added
    })
  }

  /** Hands the audit log's entries to `read`, in order, and its head. Undefined if there is no journal. */
  audit<T>(read: (entries: Iterable<StoredEntry>, head: ChainHead | undefined) => T): Promise<T | undefined> {
    return this.#file.read((database) => read(selectEntries(database), selectHead(database)))
  }

  /** The hash that the entry with that number has now. */
  auditHash(sequence: number): Promise<string | undefined> {
    return this.#file.read((database) => selectHash(database, sequence))
  }

  #newId(time: number): string {
    this.#begun += 1
    return operationId(time, this.#begun)
  }

  async #record<T>(work: (database: DatabaseSync) => T): Promise<T | undefined> {
    try {
      return await this.#queue.add(work)
    } catch (thrown) {
      const { message, hint, code } = toHoldfastError(thrown, this.path)
      this.#warn(
        `What is done cannot be recorded in the history and the audit log. ${message}${hint === undefined ? '' : ` ${hint}`}`,
        this.path,
        code,
      )
      return undefined
    }
  }

  #append(
    database: DatabaseSync,
    begun: BegunOperation,
    event: AuditEntry['event'],
    parameters: AuditParameters,
    now: number,
    end?: OperationEnd,
  ): AuditState {
    this.#beganChain ??= selectHead(database) === undefined
    const entry = {
      time: new Date(now).toISOString(),
      event,
      operation: begun.id,
      kind: begun.kind,
      subtype: end?.type ?? begun.type ?? null,
      trigger: begun.trigger,
      schedule: begun.schedule ?? null,
      database: end?.database ?? begun.database ?? null,
      repository: begun.repository,
      actor: this.#options.actor,
      parameters,
      outcome: end?.outcome ?? null,
      code: end?.code ?? null,
      backupId: end?.backupId ?? null,
    }
    return { head: appendEntry(database, entry, now), isNew: this.#beganChain }
  }

  #warn(message: string, object: string, code: ErrorCode): void {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    this.#options.onWarning(message, object, code)
  }
}

/** Nothing was done: it was only asked for in a way that makes no sense. The audit log knows of it. */
function wasMisused({ trigger }: OperationStart, { outcome, code }: OperationEnd): boolean {
  return (
    (trigger === 'manual' || trigger === 'library') &&
    outcome === 'failed' &&
    (code === 'USAGE' || code === 'CONFIG_INVALID')
  )
}
