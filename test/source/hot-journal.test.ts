import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'

for (const journalMode of ['delete', 'truncate', 'persist']) {
  test(`a hot ${journalMode} journal of a killed writer is rolled back by SQLite, then the database is read`, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = await SqlProcess.open(path)
    await application.query(
      `PRAGMA journal_mode = ${journalMode}`,
      'CREATE TABLE t (id INTEGER PRIMARY KEY, x)',
      "INSERT INTO t SELECT value, 'committed' || hex(randomblob(1000)) FROM json_each('[1,2,3,4,5,6,7,8,9,10]')",
      // A tiny cache: the transaction spills into the file before it commits.
      'PRAGMA cache_size = 1',
      'BEGIN',
      "UPDATE t SET x = 'lost' || hex(randomblob(1000))",
    )
    await application.kill()
    assert(existsSync(`${path}-journal`))
    using readOnly = new DatabaseSync(path, { readOnly: true })
    assert.throws(() => readOnly.prepare('SELECT count(*) FROM t').get(), { errcode: 776 }, 'the journal is hot')
    readOnly.close()

    await using snapshot = await sqlite(path).openSnapshot()
    await writeSnapshot(snapshot, folder.file('copy.db'))
    using copy = new DatabaseSync(folder.file('copy.db'))
    assert.equal(copy.prepare("SELECT count(*) AS n FROM t WHERE x LIKE 'committed%'").get()?.['n'], 10)
    assert.equal(copy.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  })
}
