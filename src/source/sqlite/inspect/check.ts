import type { DatabaseSync } from 'node:sqlite'
import { lockPage } from '../../../util/lock-page.ts'
import type { ValidationLevel } from '../../source.ts'
import { isSqliteError, meansDamage } from '../sqlite-error.ts'
import { readNumber } from './pragma.ts'
import { quoteName } from './schema.ts'

export const findingsLimit = 20

/**
 * `PRAGMA quick_check` or `integrity_check`: an empty list if all is well. It is one statement, because only the check of
 * the whole database counts its pages; it cannot be cancelled halfway.
 */
export function checkStructure(database: DatabaseSync, level: Exclude<ValidationLevel, 'none'>): string[] {
  const pragma = level === 'quick' ? 'quick_check' : 'integrity_check'
  try {
    const rows = database.prepare(`PRAGMA ${pragma}(${findingsLimit})`).all()
    const lines = rows.flatMap((row) => String(Object.values(row)[0]).split('\n'))
    return lines.filter((line) => line !== 'ok')
  } catch (thrown) {
    if (!isSqliteError(thrown)) throw thrown
    if (meansDamage(thrown)) return [`${pragma}: ${thrown.message}`]
    return [...checkTables(database, pragma), ...checkTrees(database)]
  }
}

/**
 * The whole check cannot even begin when one table needs a function or collation that only the application has. Then the
 * tables are checked one by one, and those that cannot be are left out: their absence is no damage. See {@link checkTrees}.
 */
function checkTables(database: DatabaseSync, pragma: string): string[] {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  const findings: string[] = []
  for (const { name } of tables) {
    try {
      const rows = database.prepare(`PRAGMA ${pragma}(${quoteName(String(name))})`).all()
      findings.push(...rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok'))
    } catch (thrown) {
      if (!isSqliteError(thrown)) throw thrown
      if (meansDamage(thrown)) findings.push(`${String(name)}: ${thrown.message}`)
    }
  }
  return findings
}

/** What tables that were left out can be checked for without the application: their trees, and that no page is missing or left over. */
function checkTrees(database: DatabaseSync): string[] {
  try {
    const sum = database.prepare("SELECT count(*) AS pages, total(pagetype = 'corrupted') AS broken FROM dbstat").get()
    if (Number(sum?.['broken']) > 0) {
      const broken = database.prepare("SELECT name, pageno FROM dbstat WHERE pagetype = 'corrupted' LIMIT ?")
      return broken.all(findingsLimit).map(({ name, pageno }) => `${name}: page ${pageno} is malformed`)
    }
    // How many pages map the others cannot be asked.
    if (readNumber(database, 'auto_vacuum') !== 0) return []
    const pageCount = readNumber(database, 'page_count')
    const free = readNumber(database, 'freelist_count')
    const locks = lockPage(readNumber(database, 'page_size')) <= pageCount ? 1 : 0
    const found = Number(sum?.['pages']) + free + locks
    return found === pageCount ? [] : [`${found} pages are in use or free, of ${pageCount}`]
  } catch (thrown) {
    if (!isSqliteError(thrown)) throw thrown
    return meansDamage(thrown) ? [`dbstat: ${thrown.message}`] : []
  }
}

/**
 * How many rows point to a parent that does not exist. A table whose declarations cannot be resolved (a parent without a
 * unique key, a missing module) cannot be checked, by SQLite neither, and counts nothing.
 */
export function countForeignKeyViolations(
  database: DatabaseSync,
  tables: readonly string[],
  throwIfCancelled: () => void,
): { readonly violations: number; readonly violating: string[]; readonly findings: string[] } {
  let violations = 0
  const violating: string[] = []
  const findings: string[] = []
  for (const table of tables) {
    throwIfCancelled()
    try {
      if (database.prepare(`PRAGMA foreign_key_list(${quoteName(table)})`).get() === undefined) continue
      const before = violations
      for (const _ of database.prepare(`PRAGMA foreign_key_check(${quoteName(table)})`).iterate()) violations++
      if (violations > before) violating.push(table)
    } catch (thrown) {
      if (!isSqliteError(thrown)) throw thrown
      if (meansDamage(thrown)) findings.push(`${table}: ${thrown.message}`)
    }
  }
  return { violations, violating, findings }
}

/** Rows of a table; null if it cannot be counted, as with a virtual table whose module is not here. */
export function countRows(database: DatabaseSync, table: string): number | null {
  try {
    const row = database.prepare(`SELECT count(*) AS n FROM ${quoteName(table)}`).get()
    return Number(row?.['n'])
  } catch (thrown) {
    if (!isSqliteError(thrown)) throw thrown
    return null
  }
}
