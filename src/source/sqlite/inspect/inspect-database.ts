import type { DatabaseSync } from 'node:sqlite'
import type { DatabaseFacts, ValidationReport } from '../../facts.ts'
import type { Inspection, ValidationLevel } from '../../source.ts'
import { checkStructure, countForeignKeyViolations, countRows, findingsLimit } from './check.ts'
import { readNumber, readText } from './pragma.ts'
import { readSchema, type SchemaSummary } from './schema.ts'

export interface DatabaseInspection {
  readonly validation: ValidationLevel
  readonly rowCounts: boolean
  /** Called between statements; throws to stop. */
  readonly throwIfCancelled: () => void
}

/**
 * What SQLite says of the state that this connection sees. A damaged database yields findings rather than an exception, as
 * far as it can be read at all. For one state across all statements, call it within a transaction.
 */
export function inspectDatabase(database: DatabaseSync, options: DatabaseInspection): Inspection {
  const schema = readSchema(database)
  const tables = schema.tables.map((name) => {
    options.throwIfCancelled()
    return { name, rows: options.rowCounts ? countRows(database, name) : null }
  })
  options.throwIfCancelled()
  return {
    facts: { ...readSettings(database), schemaDigest: schema.digest, tables },
    validation: validate(database, schema, options),
  }
}

function readSettings(database: DatabaseSync): Omit<DatabaseFacts, 'schemaDigest' | 'tables'> {
  return {
    kind: 'sqlite',
    engineVersion: String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']),
    pageSize: readNumber(database, 'page_size'),
    pageCount: readNumber(database, 'page_count'),
    encoding: encodingOf(readText(database, 'encoding')),
    journalMode: readText(database, 'journal_mode') === 'wal' ? 'wal' : 'rollback',
    autoVacuum: (['none', 'full', 'incremental'] as const)[readNumber(database, 'auto_vacuum')] ?? 'none',
    userVersion: readNumber(database, 'user_version'),
    applicationId: readNumber(database, 'application_id'),
  }
}

function encodingOf(text: string): DatabaseFacts['encoding'] {
  return text === 'UTF-16le' || text === 'UTF-16be' ? text : 'UTF-8'
}

function validate(database: DatabaseSync, schema: SchemaSummary, options: DatabaseInspection): ValidationReport {
  const started = performance.now()
  if (options.validation === 'none') {
    return { level: 'none', ok: true, findings: [], foreignKeyViolations: 0, durationMs: 0 }
  }
  const findings = schema.finding === undefined ? [] : [schema.finding]
  findings.push(...checkStructure(database, options.validation))
  const keys = countForeignKeyViolations(database, schema.tables, options.throwIfCancelled)
  findings.push(...keys.findings)
  return {
    level: options.validation,
    ok: findings.length === 0 && keys.violations === 0,
    findings: findings.slice(0, findingsLimit),
    foreignKeyViolations: keys.violations,
    durationMs: performance.now() - started,
  }
}
