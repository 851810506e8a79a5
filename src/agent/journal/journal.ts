import type { DatabaseSync } from 'node:sqlite'
import type { ErrorCode } from '../../errors.ts'
import { counted } from '../../util/counted.ts'
import { currentProcess, type ProcessIdentity } from '../../util/process-identity.ts'
import type { Actor } from './audit/actor.ts'
import type { AuditParameters, ChainHead, StoredEntry } from './audit/audit-entry.ts'
import { appendEntry, selectEntries, selectHash, selectHead, tryAppend } from './audit/audit-rows.ts'
import { type EntryFacts, operationEntry } from './audit/operation-entry.ts'
import { forgetOperations } from './forget-operations.ts'
import { Heartbeat } from './heartbeat.ts'
import { JournalFile } from './journal-file.ts'
import { defaultJournalPath } from './journal-path.ts'
import type { Operation, OperationEnd, OperationKind, OperationStart } from './operation.ts'
import { operationId } from './operation-id.ts'
import {
  type BegunOperation,
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
import { Recording, type RecordingOptions, type RecordingTrouble } from './recording.ts'

/** Two years. */
const defaultKeepMs = 2 * 365 * 24 * 60 * 60_000
/** How often a process looks for what is to be forgotten. */
const forgetMs = 24 * 60 * 60_000

/** Of some kinds a repository does not know which operation it was: these, at that time, are it. */
const tellingOfThe: Partial<Record<OperationKind, readonly OperationKind[]>> = {
  verify: ['verify', 'drill'],
  drill: ['drill'],
}

export interface JournalOptions extends RecordingOptions {
  /** Who acts, for the audit log. */
  readonly actor: Actor
  /** With whose end operations that have not ended are over; default: this process. */
  readonly process?: ProcessIdentity | undefined
  /** Default: in the user's state folder. */
  readonly path?: string | undefined
  /** Milliseconds since 1970; default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** Older operations are forgotten, in milliseconds in which any were recorded; default: two years. The audit log is kept whole. */
  readonly keepMs?: number | undefined
  /** How long the journal is waited for while another process holds it, in milliseconds; default: 5 s. */
  readonly patienceMs?: number | undefined
}

/** An operation that has begun. */
export interface OperationHandle {
  readonly id: string
  /** Records how it ended. Call it once. Never fails. */
  end(end: OperationEnd): Promise<void>
}

/** An operation that goes on, whether or not its begin is recorded yet. */
export interface BegunHandle extends OperationHandle {
  /** Resolves when it is recorded, durably, or cannot be, which is a warning. Never fails. */
  readonly recorded: Promise<unknown>
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
  readonly #recording: Recording
  readonly #options: JournalOptions
  readonly #now: () => number
  readonly #keepMs: number
  readonly #process: string
  readonly #heartbeat = new Heartbeat(() => void this.recordSeen(this.#now()))
  readonly #warned = new Set<string>()
  #audit: AuditState | undefined
  #beganChain: boolean | undefined
  #forgotAt = Number.NEGATIVE_INFINITY
  #begun = 0

  /** Touches nothing yet. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#keepMs = options.keepMs ?? defaultKeepMs
    this.#process = JSON.stringify(options.process ?? currentProcess())
    const path = options.path ?? defaultJournalPath()
    const onSetAside = (movedTo: string) =>
      this.#warn(
        `The journal was damaged. It was moved to ${movedTo}, and a new one begun. "holdfast history --rebuild" brings back what the repository knows; the audit log so far is in the file that was moved.`,
        'INTEGRITY',
      )
    this.#file = new JournalFile(path, onSetAside, options.patienceMs)
    this.#recording = new Recording(this.#file, options, this.#now)
  }

  get path(): string {
    return this.#file.path
  }

  /** The audit log as this process last left it; undefined before it added an entry. */
  get auditState(): AuditState | undefined {
    return this.#audit
  }

  /** What keeps operations from being recorded since the last one that could not be; undefined if the last one was. */
  get trouble(): RecordingTrouble | undefined {
    return this.#recording.trouble
  }

  /**
   * Records that an operation begins, durably. Never fails: what cannot be recorded is a warning.
   * @param parameters what was asked for, for the audit log; no secrets, and nothing that may hold one
   */
  async begin(start: OperationStart, parameters: AuditParameters = {}): Promise<OperationHandle> {
    const operation = this.beginNow(start, parameters)
    await operation.recorded
    return operation
  }

  /** As {@link begin}, for an operation that must not wait until others let the journal go. What is recorded keeps its order. */
  beginNow(start: OperationStart, parameters: AuditParameters = {}): BegunHandle {
    const startedAt = this.#now()
    const begun = { ...start, id: this.#newId(startedAt), startedAt }
    const recorded = this.recordBegin(begun, parameters)
    this.#heartbeat.begin()
    return {
      id: begun.id,
      recorded,
      end: async (end) => {
        const endedAt = this.#now()
        this.#heartbeat.end()
        await this.recordEnd(begun, end, parameters, endedAt)
      },
    }
  }

  /** Resolves when nothing waits to be recorded any more. */
  written(): Promise<void> {
    return this.#recording.idle()
  }

  /** The first half of {@link begin}, for an operation of another process. Never fails. */
  recordBegin(begun: BegunOperation, parameters: AuditParameters): Promise<AuditState | undefined> {
    const { startedAt: time } = begun
    return this.#recordEntry((database) => {
      if (Math.abs(time - this.#forgotAt) >= forgetMs) {
        forgetOperations(database, time, this.#keepMs)
        this.#forgotAt = time
      }
      insertBegun(database, begun, this.#process)
      return this.#append(database, begun, { time, parameters })
    })
  }

  /** How it ended, also where nothing is known of its begin. Never fails. @param endedAt milliseconds since 1970 */
  recordEnd(
    begun: BegunOperation,
    end: OperationEnd,
    parameters: AuditParameters,
    endedAt: number,
  ): Promise<AuditState | undefined> {
    return this.#recordEntry((database) => {
      if (wasMisused(begun, end)) deleteOperation(database, begun.id)
      else updateEnded(database, begun, end, { process: this.#process, endedAt })
      return this.#append(database, begun, { time: endedAt, parameters, end })
    })
  }

  /** That the process is there, in whose life operations run. It ends a {@link trouble} that is over. Never fails. @param time milliseconds since 1970 */
  async recordSeen(time: number): Promise<void> {
    await this.#recording.write((database) => {
      // What keeps only entries from being added must not seem to be over.
      if (this.trouble !== undefined) tryAppend(database, time)
      updateSeen(database, this.#process, time)
    }, false)
  }

  /** Oldest first. @throws ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW */
  async operations(query: OperationQuery = {}): Promise<RecordedOperation[]> {
    const found = await this.#file.read((database) => selectOperations(database, query, this.#now()))
    if (found === undefined) return []
    const { operations, unknown } = found
    if (unknown > 0)
      this.#warn(
        `${counted(unknown, 'operation is', 'operations are')} left out of the history: this version of Holdfast does not know what that was. A newer one wrote it, or it was changed.`,
        'FORMAT_TOO_NEW',
      )
    return operations
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

  async #recordEntry(work: (database: DatabaseSync) => AuditState): Promise<AuditState | undefined> {
    const audit = await this.#recording.write(work, true)
    this.#audit = audit ?? this.#audit
    return audit
  }

  #append(database: DatabaseSync, begun: BegunOperation, facts: Omit<EntryFacts, 'actor'>): AuditState {
    this.#beganChain ??= selectHead(database) === undefined
    const entry = operationEntry(begun, { ...facts, actor: this.#options.actor })
    return { head: appendEntry(database, entry, facts.time), isNew: this.#beganChain }
  }

  #warn(message: string, code: ErrorCode): void {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    this.#options.onWarning(message, this.path, code)
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
