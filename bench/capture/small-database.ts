import { DatabaseSync } from 'node:sqlite'

const rows = 200

/** About 36 KB, in WAL mode, and closed. */
export function makeSmallDatabase(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB);
    WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${rows})
    INSERT INTO t (x) SELECT randomblob(100) FROM c`)
  database.close()
}
