import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'

export interface Shape {
  readonly rows?: number
  readonly journal?: 'wal' | 'delete'
  /** Random bytes a row. */
  readonly bytes?: number
}

/** A database of two tables, one of which refers to the other. */
export function makeDatabase(path: string, { rows = 200, journal = 'wal', bytes = 100 }: Shape = {}): void {
  using database = new DatabaseSync(path)
  database.exec(`
    PRAGMA journal_mode = ${journal};
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users, note BLOB);
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO users SELECT i, 'user ' || i FROM n;
    INSERT INTO orders SELECT id, id, randomblob(${bytes}) FROM users;
    COMMIT`)
}

export function change(path: string, sql: string): void {
  // Others may be writing, or be handing the log back.
  using database = new DatabaseSync(path, { timeout: 5000 })
  database.exec(sql)
}

export function count(path: string, table = 'orders'): number {
  using database = new DatabaseSync(path, { readOnly: true })
  return Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows'])
}

export function integrity(path: string): string {
  using database = new DatabaseSync(path, { readOnly: true })
  return String(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'])
}

/** Another program that commits to the database all the time, until the test ends. */
export async function startWriter(context: TestContext, path: string): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  context.after(async () => {
    child.kill('SIGKILL')
    await closed
  })
  await Promise.race([once(child.stdout, 'data'), closed])
  if (child.exitCode !== null) throw new Error('The writer ended.')
}
