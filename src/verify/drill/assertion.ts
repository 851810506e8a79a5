/** What a user asserts of a restored database. */
import { z } from 'zod'
import type { Cell } from '../../source/sqlite/inspect/query-file.ts'
import { quoteName } from '../../source/sqlite/inspect/schema.ts'

const cell = z.union([z.null(), z.number(), z.bigint(), z.string()])

/**
 * One query, read-only. Without `expect` it must yield a single value, and that must be a number other than 0, as SQLite's `true` is.
 * `expect` is the single value that it must yield, or all its rows, in order.
 */
export interface Assertion {
  readonly sql: string
  /** Shown in reports; default: the query. */
  readonly name?: string | undefined
  readonly expect?: Cell | readonly (readonly Cell[])[] | undefined
}

export const assertion: z.ZodType<Assertion> = z.strictObject({
  sql: z.string().trim().min(1),
  name: z.string().trim().min(1).optional(),
  expect: z.union([cell, z.array(z.array(cell))]).optional(),
})

/** That tables are there, with at least so many rows each. */
export function assertTables(leastRows: Readonly<Record<string, number>>): Assertion[] {
  return Object.entries(leastRows).map(([table, least]) => ({
    name: `${table} has at least ${least} rows`,
    sql: `SELECT count(*) >= ${least} FROM ${quoteName(table)}`,
  }))
}
