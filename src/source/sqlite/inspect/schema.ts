import { createHash, type Hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { meansDamage } from '../sqlite-error.ts'

export interface SchemaSummary {
  /** SHA-256 (hex); see {@link DatabaseFacts.schemaDigest}. */
  readonly digest: string
  /** Names of ordinary and virtual tables, in binary order. */
  readonly tables: readonly string[]
  /** What kept the rest of the schema from being read, if it is damaged. */
  readonly finding: string | undefined
}

/** Reads as much of the schema as can be read. @throws what SQLite throws, unless it means damage */
export function readSchema(database: DatabaseSync): SchemaSummary {
  const hash = createHash('sha256')
  const tables: string[] = []
  let finding: string | undefined
  try {
    // rootpage is left out: it says where a table lies, not what it is.
    const entries = database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    for (const entry of entries.iterate()) {
      for (const value of [entry['type'], entry['name'], entry['tbl_name'], entry['sql']]) addValue(hash, value)
      if (entry['type'] === 'table' && typeof entry['name'] === 'string') tables.push(entry['name'])
    }
  } catch (thrown) {
    if (!(thrown instanceof Error) || !meansDamage(thrown)) throw thrown
    finding = `schema: ${thrown.message}`
  }
  return { digest: hash.digest('hex'), tables, finding }
}

/** Length first, so that no two schemas share their hashed bytes. */
function addValue(hash: Hash, value: unknown): void {
  if (typeof value !== 'string') {
    hash.update('-;')
    return
  }
  const bytes = Buffer.from(value, 'utf8')
  hash.update(`${bytes.length};`)
  hash.update(bytes)
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
