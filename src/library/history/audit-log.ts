import { basename } from 'node:path'
import { type AuditEntry, auditEntry, type StoredEntry } from '../../agent/journal/audit/audit-entry.ts'
import { type AuditFinding, checkChain } from '../../agent/journal/audit/check-chain.ts'
import type { EngineSettings } from '../../backup/manager-options.ts'
import { databaseNameFrom } from '../../repository/layout.ts'
import type { Moment } from '../../restore/recovery-options.ts'
import { timeOf } from '../../restore/recovery-target.ts'
import { takeJournal } from '../journal/shared-journal.ts'

/** Entries of which all that is given is true. */
export interface AuditQuery {
  /** Name in the repository, or path. */
  readonly database?: string | undefined
  /** Who did it, also by `sudo`. */
  readonly user?: string | undefined
  /** Of this moment or later. */
  readonly since?: Moment | undefined
  /** Of this moment or before. */
  readonly until?: Moment | undefined
}

export interface AuditLogOptions extends AuditQuery {
  /** Path of the journal; default: the user's, in the state folder. */
  readonly journal?: string | undefined
  /** The process that reads it. */
  readonly engine?: EngineSettings | undefined
}

export interface AuditLog {
  /** Path of the journal that it is in. */
  readonly journal: string
  /** In order. Entries that are not readable are left out; then there is a finding. */
  readonly entries: readonly AuditEntry[]
  /** The newest entry of the whole log, which stands for all before it; undefined if there is none. */
  readonly head: { readonly chain: string; readonly sequence: number; readonly hash: string } | undefined
  /** The first entry of the whole log that is not as it was written. */
  readonly finding: AuditFinding | undefined
}

/**
 * Who did what to what on this machine, from where, and how it ended: the audit log of this user, checked as a whole. That its end was not
 * cut off, only `holdfast audit verify` proves, which compares it with what repositories remember.
 * @throws USAGE, ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW, ENGINE_DIED
 * @example
 * import { auditLog } from 'holdfast'
 * const { entries, finding } = await auditLog({ since: Date.now() - 86_400_000 })
 * if (finding !== undefined) console.error(`The audit log was tampered with: ${finding.problem}`)
 * for (const { time, actor, kind, database, event } of entries) console.log(time, actor.user, event, kind, database)
 */
export async function auditLog(options: AuditLogOptions = {}): Promise<AuditLog> {
  const isWanted = filter(options)
  await using taken = takeJournal(options.journal, options.engine?.execPath)
  const { path: journal } = taken.journal
  const log = await taken.journal.audit()
  if (log === undefined) return { journal, entries: [], head: undefined, finding: undefined }
  const { head } = log
  const { finding } = checkChain(log.entries, head)
  return {
    journal,
    entries: log.entries.flatMap((stored) => readable(stored) ?? []).filter(isWanted),
    head: head === undefined ? undefined : { chain: head.chain, sequence: head.sequence, hash: head.hash },
    finding,
  }
}

function filter({ database, user, since, until }: AuditQuery): (entry: AuditEntry) => boolean {
  const name = database === undefined ? undefined : databaseNameFrom(basename(database))
  const from = since === undefined ? Number.NEGATIVE_INFINITY : timeOf(since)
  const to = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until)
  return (entry) => {
    const time = Date.parse(entry.time)
    const isTheirs = user === undefined || entry.actor.user === user || entry.actor.sudoUser === user
    return time >= from && time <= to && isTheirs && (name === undefined || entry.database === name)
  }
}

function readable({ text }: StoredEntry): AuditEntry | undefined {
  try {
    return auditEntry.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
