import type { DatabaseSync } from 'node:sqlite'
import type { DatabaseFacts, ValidationReport } from '../../facts.ts'
import type { Inspection, ValidationLevel } from '../../source.ts'
import { isSqliteError, meansDamage } from '../sqlite-error.ts'
import { checkStructure, countForeignKeyViolations, countRows, findingsLimit } from './check.ts'
import { readNumber, readText } from './pragma.ts'
import { readSchema, type SchemaSummary } from './schema.ts'

export interface DatabaseInspection {
  readonly validation: ValidationLevel
  readonly rowCounts: boolean
  /** Leave out the check of the structure, which another connection makes; default false. */
  readonly structureElsewhere?: boolean | undefined
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
  const unreadable: string[] = schema.finding === undefined ? [] : [schema.finding]
  const settings = readSettings(database, unreadable)
  return {
    facts: { ...settings, schemaDigest: schema.digest, tables },
    ...validate(database, schema, unreadable, options),
  }
}

/** A setting that a damaged header hides is 0, and a finding. */
function readSettings(database: DatabaseSync, findings: string[]): Omit<DatabaseFacts, 'schemaDigest' | 'tables'> {
  const number = (pragma: string) => unlessDamaged(() => readNumber(database, pragma), 0, pragma, findings)
  const text = (pragma: string) => unlessDamaged(() => readText(database, pragma), '', pragma, findings)
  return {
    kind: 'sqlite',
    engineVersion: String(process.versions['sqlite']),
    pageSize: number('page_size'),
    pageCount: number('page_count'),
    encoding: encodingOf(text('encoding')),
    journalMode: text('journal_mode') === 'wal' ? 'wal' : 'rollback',
    autoVacuum: (['none', 'full', 'incremental'] as const)[number('auto_vacuum')] ?? 'none',
    userVersion: number('user_version'),
    applicationId: number('application_id'),
  }
}

function unlessDamaged<T>(read: () => T, otherwise: T, what: string, findings: string[]): T {
  try {
    return read()
  } catch (thrown) {
    if (!isSqliteError(thrown) || !meansDamage(thrown)) throw thrown
    findings.push(`${what}: ${thrown.message}`)
    return otherwise
  }
}

function encodingOf(text: string): DatabaseFacts['encoding'] {
  return text === 'UTF-16le' || text === 'UTF-16be' ? text : 'UTF-8'
}

function validate(
  database: DatabaseSync,
  schema: SchemaSummary,
  unreadable: readonly string[],
  options: DatabaseInspection,
): Pick<Inspection, 'validation' | 'tablesBreakingForeignKeys'> {
  const started = performance.now()
  if (options.validation === 'none') {
    return { validation: { level: 'none', ok: true, findings: [], foreignKeyViolations: 0, durationMs: 0 } }
  }
  const findings = [...unreadable]
  if (options.structureElsewhere !== true) findings.push(...checkStructure(database, options.validation))
  const keys = countForeignKeyViolations(database, schema.tables, options.throwIfCancelled)
  findings.push(...keys.findings)
  const validation: ValidationReport = {
    level: options.validation,
    ok: findings.length === 0 && keys.violations === 0,
    findings: findings.slice(0, findingsLimit),
    foreignKeyViolations: keys.violations,
    durationMs: performance.now() - started,
  }
  return { validation, tablesBreakingForeignKeys: keys.violating }
}
