import type { DatabaseSync } from 'node:sqlite'
import { resultCode, sqliteCode } from '../sqlite-error.ts'

/**
 * Reads once, so that a damaged database can be read further. `schema_version` reads the first page and needs no intact schema.
 * @returns whether the schema is intact
 */
export function firstRead(database: DatabaseSync): boolean {
  try {
    readHeader(database)
    return true
  } catch (thrown) {
    if (sqliteCode(thrown) !== resultCode.corrupt) throw thrown
    // A damaged schema, or a file cut short: this setting of the connection (nothing is written) lets SQLite go on
    // regardless, so that a damaged database can be backed up, described and proved.
    database.enableDefensive(false)
    database.exec('PRAGMA writable_schema = 1')
    readHeader(database)
    return false
  }
}

function readHeader(database: DatabaseSync): void {
  database.prepare('PRAGMA schema_version').get()
  database.prepare('PRAGMA journal_mode').get()
}
