/** Primary result codes of SQLite. Source: https://sqlite.org/rescode.html */
export const resultCode = {
  error: 1,
  busy: 5,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  cantOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const

/** A read-only connection met a hot journal, which only a writable one can roll back. */
export const readonlyRollback = 776

export interface SqliteError extends Error {
  /** The extended result code. */
  readonly errcode: number
}

export function isSqliteError(thrown: unknown): thrown is SqliteError {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number'
}

/** The primary result code, or undefined if SQLite did not throw this. */
export function sqliteCode(thrown: unknown): number | undefined {
  return isSqliteError(thrown) ? thrown.errcode & 0xff : undefined
}

/** What SQLite says when the bytes of a database make no sense. */
export function meansDamage(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return code === resultCode.corrupt || code === resultCode.notADatabase || code === resultCode.ioError
}
