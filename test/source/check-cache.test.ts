import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { enlargeCache } from '../../src/source/sqlite/inspect/check-cache.ts'
import { inspectDatabase } from '../../src/source/sqlite/inspect/inspect-database.ts'

test('checks read no page many times over, although references lead all over the file', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-check-cache-'))
  try {
    const path = join(folder, 'app.db')
    // Parents of 8 MB in all; each child refers to one far from its neighbour's.
    using db = new DatabaseSync(path)
    db.exec(`PRAGMA synchronous = OFF;
      CREATE TABLE parent(id INTEGER PRIMARY KEY, body BLOB);
      CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent(id));
      WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 7999)
        INSERT INTO parent SELECT i, zeroblob(1000) FROM n;
      WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
        INSERT INTO child SELECT i, i * 4517 % 8000 FROM n;`)
    using checking = new DatabaseSync(path, { readOnly: true })
    const before = readCalls()
    enlargeCache(checking)
    const { facts, validation } = inspectDatabase(checking, {
      validation: 'quick',
      rowCounts: true,
      throwIfCancelled: () => undefined,
    })
    const reads = readCalls() - before
    assert.equal(validation.ok, true)
    assert.equal(validation.foreignKeyViolations, 0)
    assert.ok(reads < 4 * facts.pageCount, `${reads} reads of ${facts.pageCount} pages`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** How often this process has asked the system to read something. */
function readCalls(): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}
