/** The process behind `sql-process.ts`. */
import { DatabaseSync } from 'node:sqlite'
import type { SqlResult } from './sql-process.ts'

const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 0 })

function run(statements: readonly string[]): SqlResult {
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = database.prepare(statement).all()
    return { rows }
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

process.on('message', (statements: string[]) => process.send?.(run(statements)))
process.on('disconnect', () => database.close())
process.send?.('ready')
