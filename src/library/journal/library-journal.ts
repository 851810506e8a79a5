import type { Actor } from '../../agent/journal/audit/actor.ts'
import { anchorAudit } from '../../agent/journal/audit/anchor-audit.ts'
import type { AuditParameters, ChainHead, StoredEntry } from '../../agent/journal/audit/audit-entry.ts'
import { Heartbeat } from '../../agent/journal/heartbeat.ts'
import type { AuditState, FoundOperation, OperationHandle } from '../../agent/journal/journal.ts'
import type { OperationStart } from '../../agent/journal/operation.ts'
import { operationId } from '../../agent/journal/operation-id.ts'
import type { OperationQuery } from '../../agent/journal/operation-rows.ts'
import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { toHoldfastError } from '../../errors.ts'
import type { JournalWarning } from './journal-api.ts'
import type { JournalProcess } from './journal-process.ts'

export interface LibraryJournalOptions {
  readonly path: string
  readonly actor: Actor
  readonly process: JournalProcess
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onWarning: (warning: JournalWarning) => void
}

/** The journal as an application has it: every access is made by the journal's own process. */
export class LibraryJournal {
  readonly #options: LibraryJournalOptions
  readonly #heartbeat: Heartbeat
  #audit: AuditState | undefined
  #begun = 0

  constructor(options: LibraryJournalOptions) {
    this.#options = options
    const { now, process } = options
    this.#heartbeat = new Heartbeat(() => void this.#record(() => process.call('seen', { time: now() })))
  }

  get path(): string {
    return this.#options.path
  }

  /** Records that an operation begins, durably. Never fails: what cannot be recorded is a warning. */
  async begin(start: OperationStart, parameters: AuditParameters): Promise<OperationHandle> {
    const { now, process } = this.#options
    const startedAt = now()
    this.#begun += 1
    const begun = { ...start, id: operationId(startedAt, this.#begun), startedAt }
    this.#note(await this.#record(() => process.call('begin', { begun, parameters })))
    this.#heartbeat.begin()
    return {
      id: begun.id,
      end: async (end) => {
        this.#heartbeat.end()
        const endedAt = now()
        this.#note(await this.#record(() => process.call('end', { begun, end, parameters, endedAt })))
      },
    }
  }

  /** Oldest first. @throws ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW, ENGINE_DIED */
  operations(query: OperationQuery): Promise<RecordedOperation[]> {
    return this.#options.process.call('operations', { query })
  }

  rebuiltAt(repository: string): Promise<number | undefined> {
    return this.#options.process.call('rebuiltAt', { repository })
  }

  merge(repository: string, found: readonly FoundOperation[]): Promise<number> {
    return this.#options.process.call('merge', { repository, found })
  }

  /** The whole audit log; undefined if there is none. */
  audit(): Promise<{ readonly head: ChainHead | undefined; readonly entries: readonly StoredEntry[] } | undefined> {
    return this.#options.process.call('audit', {})
  }

  /** Notes the head of the audit log in a repository; the answer is a warning. @throws STORAGE_*, DISK_FULL, INTEGRITY, ENGINE_DIED */
  async anchor({ address, storage }: StorageLink): Promise<string | undefined> {
    const { actor, process, now } = this.#options
    const state = this.#audit
    if (state === undefined) return undefined
    // What this process could open would bring SQLite into it, for the locks of a folder.
    if (address.kind === 'location') return await process.call('anchor', { state, storage: address, now: now() })
    const auditHash = (sequence: number) => process.call('auditHash', { sequence })
    return await anchorAudit({ auditState: state, auditHash }, storage, actor, now())
  }

  #note(audit: AuditState | undefined): void {
    if (audit === undefined) return
    const { head } = audit
    // Another process of the journal may have gone on with what the first one began.
    const begunHere = this.#audit?.head.chain === head.chain && this.#audit.isNew
    this.#audit = { head, isNew: audit.isNew || begunHere }
  }

  async #record<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      const { message, hint, code } = toHoldfastError(thrown, this.path)
      const text = `What is done cannot be recorded in the history and the audit log. ${message}${hint === undefined ? '' : ` ${hint}`}`
      this.#options.onWarning({ message: text, code })
      return undefined
    }
  }
}
