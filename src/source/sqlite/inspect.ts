/**
 * What SQLite itself says of a database: pure functions over an open connection. The caller chooses the state by the
 * transaction it holds, and the thread.
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { DatabaseFacts, ValidationReport } from '../facts.ts'
import type { ValidationLevel } from '../source.ts'

export interface ReadFactsOptions {
  /** Count the rows of every table; otherwise `rows` is null. */
  readonly rowCounts: boolean
  /** Read the mode from the header (bytes 18 and 19) on `immutable` connections: SQLite does not tell it there. */
  readonly journalMode?: DatabaseFacts['journalMode'] | undefined
}

/**
 * The facts of the state that the connection sees. A damaged database gives what can be read: an unreadable schema has the
 * digest '' and no tables, a table that cannot be counted (damaged, or virtual without its module) has `rows: null`, and
 * numbers that SQLite refuses to tell are 0.
 * @throws SQLite's error if the file is locked
 */
export function readFacts(db: DatabaseSync, options: ReadFactsOptions): DatabaseFacts {
  const schema = readSchema(db)
  return {
    kind: 'sqlite',
    engineVersion: process.versions['sqlite'] ?? '',
    pageSize: pragmaNumber(db, 'page_size'),
    pageCount: pragmaNumber(db, 'page_count'),
    encoding: encodingOf(pragmaText(db, 'encoding')),
    journalMode: options.journalMode ?? (pragmaText(db, 'journal_mode') === 'wal' ? 'wal' : 'rollback'),
    autoVacuum: (['none', 'full', 'incremental'] as const)[pragmaNumber(db, 'auto_vacuum')] ?? 'none',
    userVersion: pragmaNumber(db, 'user_version'),
    applicationId: pragmaNumber(db, 'application_id'),
    schemaDigest: schema?.digest ?? '',
    tables: (schema?.tables ?? []).map((name) => ({ name, rows: options.rowCounts ? countRows(db, name) : null })),
  }
}

/**
 * Runs `quick_check` or `integrity_check`, and the foreign key check. Damage gives findings, not exceptions; foreign key
 * violations are counted, and make the report not ok.
 * @throws SQLite's error if the database is locked
 */
export function runChecks(db: DatabaseSync, level: ValidationLevel): ValidationReport {
  const startedAt = performance.now()
  const report = (found: readonly string[], foreignKeyViolations: number): ValidationReport => ({
    level,
    ok: found.length === 0 && foreignKeyViolations === 0,
    findings: found.slice(0, maxFindings),
    foreignKeyViolations,
    durationMs: Math.round(performance.now() - startedAt),
  })
  if (level === 'none') return report([], 0)
  const findings = findDamage(db, level === 'quick' ? 'quick_check' : 'integrity_check')
  const foreignKeys = checkForeignKeys(db)
  const unseen = foreignKeys.findings.filter((finding) => !findings.includes(finding))
  return report([...findings, ...unseen], foreignKeys.violations)
}

const maxFindings = 20

function findDamage(db: DatabaseSync, check: 'quick_check' | 'integrity_check'): string[] {
  const { value, finding } = attempt(() => {
    const rows = db.prepare(`PRAGMA ${check}(${maxFindings})`).all()
    return rows.flatMap((row) => String(Object.values(row)[0]).split('\n'))
  })
  return finding === undefined ? value.filter((line) => line !== 'ok') : [finding]
}

/** Table by table, so that one whose parent key is ill defined does not hide the others' violations. */
function checkForeignKeys(db: DatabaseSync): { violations: number; findings: string[] } {
  const schema = attempt(() => columnOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage <> 0"))
  if (schema.finding !== undefined) return { violations: 0, findings: [schema.finding] }
  let violations = 0
  const findings: string[] = []
  for (const table of schema.value) {
    const count = attempt(() =>
      Number(db.prepare('SELECT count(*) AS n FROM pragma_foreign_key_check(?)').get(table)?.['n']),
    )
    if (count.finding === undefined) violations += count.value
    else findings.push(count.finding)
  }
  return { violations, findings }
}

function readSchema(db: DatabaseSync): { digest: string; tables: string[] } | undefined {
  const { value, finding } = attempt(() => {
    const hash = createHash('sha256')
    for (const row of db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').iterate()) {
      hash.update(`${JSON.stringify([row['type'], row['name'], row['tbl_name'], row['sql']])}\n`)
    }
    return {
      digest: hash.digest('hex'),
      tables: columnOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"),
    }
  })
  return finding === undefined ? value : undefined
}

function countRows(db: DatabaseSync, table: string): number | null {
  const { value, finding } = attempt(() =>
    Number(firstValue(db, `SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)),
  )
  return finding === undefined ? value : null
}

type Attempt<T> =
  | { readonly value: T; readonly finding?: undefined }
  | { readonly value?: undefined; readonly finding: string }

/** A lock is no property of the database: it must not pass for damage. */
const passing = new Set([5 /* SQLITE_BUSY */, 6 /* SQLITE_LOCKED */, 7 /* SQLITE_NOMEM */, 9 /* SQLITE_INTERRUPT */])

function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run() }
  } catch (error) {
    if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') throw error
    if (passing.has(error.errcode & 0xff)) throw error
    return { finding: error.message }
  }
}

function columnOf(db: DatabaseSync, sql: string): string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]))
}

function pragmaNumber(db: DatabaseSync, pragma: string): number {
  return Number(attempt(() => firstValue(db, `PRAGMA ${pragma}`)).value ?? 0)
}

function pragmaText(db: DatabaseSync, pragma: string): string {
  return String(attempt(() => firstValue(db, `PRAGMA ${pragma}`)).value ?? '')
}

function firstValue(db: DatabaseSync, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0]
}

function encodingOf(text: string): DatabaseFacts['encoding'] {
  return text === 'UTF-16le' || text === 'UTF-16be' ? text : 'UTF-8'
}
