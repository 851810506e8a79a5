import { DatabaseSync } from 'node:sqlite'

/** A WAL-mode database of about so many pages, which this process does not keep open. */
export function makeDatabase(path: string, pages = 50): void {
  using database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)')
  const insert = database.prepare('INSERT INTO t (value) VALUES (randomblob(3900))')
  database.exec('BEGIN')
  for (let page = 0; page < pages; page++) insert.run()
  database.exec('COMMIT')
}

export function countRows(path: string): unknown {
  using database = new DatabaseSync(path, { readOnly: true })
  return database.prepare('SELECT count(*) AS count FROM t').get()?.['count']
}

export function addRow(path: string): void {
  using database = new DatabaseSync(path)
  database.exec("INSERT INTO t (value) VALUES ('one more')")
}
