/** Primary result codes of SQLite. Source: https://sqlite.org/rescode.html */
export const resultCode = {
  error: 1,
  permission: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
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

/** SQLite cannot make sense of the file at all: damaged, of another kind, or with a schema format that it does not know. */
export function meansUnreadable(thrown: unknown): thrown is SqliteError {
  switch (sqliteCode(thrown)) {
    case resultCode.corrupt:
    case resultCode.notADatabase:
      return true
    case resultCode.error:
      // This code stands for many things, and only the text tells which.
      return thrown instanceof Error && thrown.message.includes('unsupported file format')
    default:
      return false
  }
}
