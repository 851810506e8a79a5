import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { HoldfastError } from '../../../errors.ts'
import { type AuditEntry, type ChainHead, chainStart, entryHash, type StoredEntry } from './audit-entry.ts'
import { canonicalJson } from './canonical-json.ts'

const chainRow = z.object({ chain: z.string(), created_at: z.int(), sequence: z.int(), hash: z.string() })
const entryRow = z.object({ sequence: z.int(), text: z.string(), hash: z.string() })

/** Undefined before the first entry. */
export function selectHead(database: DatabaseSync): ChainHead | undefined {
  const row = database.prepare('SELECT chain, created_at, sequence, hash FROM audit_chain').get()
  if (row === undefined) return undefined
  const { created_at: createdAt, ...head } = chainRow.parse(row)
  return { ...head, createdAt }
}

/**
 * Adds an entry at the end of the chain, within the caller's transaction. Returns the new head.
 * @throws INTEGRITY if there are entries but no head: what follows them would prove nothing
 */
export function appendEntry(database: DatabaseSync, entry: Omit<AuditEntry, 'sequence'>, now: number): ChainHead {
  return append(database, (sequence) => canonicalJson({ ...entry, sequence }), now)
}

/** Finds out, within the caller's transaction, whether an entry could be added, and adds none. @throws what {@link appendEntry} does */
export function tryAppend(database: DatabaseSync, now: number): void {
  database.exec('SAVEPOINT trial')
  append(database, () => '', now)
  database.exec('ROLLBACK TO trial; RELEASE trial')
  // What changes nothing writes nothing, and would never find the disk full.
  database.exec('UPDATE audit_chain SET sequence = sequence')
}

function append(database: DatabaseSync, textOf: (sequence: number) => string, now: number): ChainHead {
  const { chain, createdAt, sequence: last, hash: previous } = selectHead(database) ?? begin(database, now)
  const sequence = last + 1
  const text = textOf(sequence)
  const hash = entryHash(previous, text)
  database.prepare('INSERT INTO audit (sequence, entry, hash) VALUES (?, ?, ?)').run(sequence, text, hash)
  database.prepare('UPDATE audit_chain SET sequence = ?, hash = ?').run(sequence, hash)
  return { chain, createdAt, sequence, hash }
}

function begin(database: DatabaseSync, createdAt: number): ChainHead {
  if (database.prepare('SELECT 1 FROM audit LIMIT 1').get() !== undefined) {
    throw new HoldfastError('INTEGRITY', 'The audit log has entries, but its head is missing.', {
      hint: 'See "holdfast audit verify". When you have found out how that came, move the journal away: a new one is begun.',
    })
  }
  const chain = randomUUID()
  const head = { chain, createdAt, sequence: 0, hash: chainStart(chain) }
  database
    .prepare('INSERT INTO audit_chain (only, chain, created_at, sequence, hash) VALUES (1, ?, ?, 0, ?)')
    .run(chain, createdAt, head.hash)
  return head
}

/** In order; the caller takes them one by one. */
export function* selectEntries(database: DatabaseSync): Generator<StoredEntry> {
  const rows = database.prepare('SELECT sequence, entry AS text, hash FROM audit ORDER BY sequence').iterate()
  for (const row of rows) yield entryRow.parse(row)
}

/** Hash of the entry with that number, as it is kept. */
export function selectHash(database: DatabaseSync, sequence: number): string | undefined {
  const row = database.prepare('SELECT sequence, entry AS text, hash FROM audit WHERE sequence = ?').get(sequence)
  return row === undefined ? undefined : entryRow.parse(row).hash
}
