import { basename } from 'node:path'
import { type AuditEntry, auditEntry } from '../../agent/journal/audit/audit-entry.ts'
import { HoldfastError } from '../../errors.ts'
import { databaseNameFrom } from '../../repository/layout.ts'
import { type TimeRangeFlags, timeRange } from '../parse/time-range.ts'
import { auditText } from '../present/audit.ts'
import type { Outcome, Session } from '../session.ts'

export interface AuditFilter {
  readonly database?: string
  readonly user?: string
}

export async function listAudit(
  { journal: commandJournal, output, now }: Session,
  { database, user }: AuditFilter,
  times: TimeRangeFlags,
): Promise<Outcome<'audit'>> {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = await timeRange(times, now())
  const name = database === undefined ? undefined : databaseNameFrom(basename(database))
  const isWanted = (entry: AuditEntry) => {
    const time = Date.parse(entry.time)
    const isTheirs = user === undefined || entry.actor.user === user || entry.actor.sudoUser === user
    return time >= since && time <= until && isTheirs && (name === undefined || entry.database === name)
  }
  const journal = await commandJournal.open()
  const found = await journal.audit((entries, head) => {
    const wanted: { entry: AuditEntry; hash: string }[] = []
    for (const { sequence, text, hash } of entries) {
      const entry = parse(text, sequence, journal.path)
      if (isWanted(entry)) wanted.push({ entry, hash })
    }
    return { wanted, head }
  })
  const { wanted = [], head } = found ?? {}
  if (output.json) for (const { entry, hash } of wanted) output.printJson({ type: 'audit', ...entry, hash })
  const shown = head === undefined ? null : { chain: head.chain, sequence: head.sequence, hash: head.hash }
  return {
    data: { journal: journal.path, entries: wanted.length, head: shown },
    text: auditText(wanted.map(({ entry }) => entry)),
  }
}

function parse(text: string, sequence: number, path: string): AuditEntry {
  try {
    return auditEntry.parse(JSON.parse(text))
  } catch (cause) {
    throw new HoldfastError('INTEGRITY', `Entry ${sequence} of the audit log is not readable.`, {
      object: path,
      cause,
      hint: 'See "holdfast audit verify".',
    })
  }
}
