import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { isSqliteError } from '../sqlite-error.ts'

/** A blob is shown as its SQL literal, `x'0102'`. */
export type Cell = null | number | bigint | string

export type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly Cell[])[]; readonly more: boolean }
  /** `code` is SQLite's primary result code; undefined for what is no single query. */
  | { readonly kind: 'error'; readonly code: number | undefined; readonly message: string }

/**
 * Asks a database file that nobody writes to one question, reading only: neither the file nor its folder is touched. It takes as
 * long as it takes: SQLite in Node.js cannot be interrupted, only its process can.
 * @param most rows to return
 */
export function queryFile(path: string, sql: string, most: number): Answer {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  try {
    using database = new DatabaseSync(url, { readOnly: true })
    const statement = database.prepare(sql)
    // SQLite takes the first statement and passes over the rest in silence.
    if (hasMore(sql.slice(statement.sourceSQL.length))) return noQuery('It holds more than one statement.')
    if (statement.columns().length === 0) return noQuery('It is no query: it yields nothing.')
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const rows: Cell[][] = []
    for (const row of statement.iterate()) {
      if (rows.length === most) return { kind: 'rows', rows, more: true }
      rows.push(Object.values(row).map(toCell))
    }
    return { kind: 'rows', rows, more: false }
  } catch (thrown) {
    if (isSqliteError(thrown)) return { kind: 'error', code: thrown.errcode & 0xff, message: thrown.message }
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_INVALID_ARG_VALUE')
      return noQuery('It holds no statement.')
    throw thrown
  }
}

const noQuery = (message: string): Answer => ({ kind: 'error', code: undefined, message })

/** Whether anything but white space, semicolons and comments is left. */
function hasMore(rest: string): boolean {
  return rest.replace(/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\s;]/g, '') !== ''
}

/** As many bytes of a blob are enough to tell it from another. */
const longestBlob = 256

function toCell(value: unknown): Cell {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  if (value instanceof Uint8Array) return `x'${Buffer.from(value.subarray(0, longestBlob)).toString('hex')}'`
  return String(value)
}
