import assert from 'node:assert/strict'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Inspection, InspectOptions } from '../../src/source/source.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'

const integrity: InspectOptions = { validation: 'integrity', rowCounts: true }

function makeDatabase(path: string, sql: string): void {
  using database = new DatabaseSync(path)
  database.function('only_in_the_application', { deterministic: true }, (value) => value)
  database.exec(sql)
}

/** Its indexes then need a collation that only an application has. */
function useCollation(path: string): void {
  using database = new DatabaseSync(path)
  database.enableDefensive(false)
  database.exec(`PRAGMA writable_schema = on;
    UPDATE sqlite_schema SET sql = replace(sql, 'nocase', 'of_the_application')`)
}

async function inspect(path: string, options = integrity): Promise<Inspection> {
  await using snapshot = await sqlite(path).openSnapshot()
  return await snapshot.inspect(options)
}

test('the facts of a database', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(
    path,
    `PRAGMA page_size = 1024; PRAGMA encoding = 'UTF-16be'; PRAGMA auto_vacuum = incremental; PRAGMA journal_mode = wal;
     PRAGMA user_version = -7; PRAGMA application_id = 1234;
     CREATE TABLE "odd ""name" (x); INSERT INTO "odd ""name" VALUES (1), (2);
     CREATE TABLE empty (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW v AS SELECT 1; CREATE INDEX i ON empty (id)`,
  )
  const { facts, validation } = await inspect(path)
  const { schemaDigest, pageCount, engineVersion, ...rest } = facts
  assert.deepEqual(rest, {
    kind: 'sqlite',
    pageSize: 1024,
    encoding: 'UTF-16be',
    journalMode: 'wal',
    autoVacuum: 'incremental',
    userVersion: -7,
    applicationId: 1234,
    tables: [
      { name: 'empty', rows: 0 },
      { name: 'odd "name', rows: 2 },
      { name: 'sqlite_sequence', rows: 0 },
    ],
  })
  assert.match(schemaDigest, /^[0-9a-f]{64}$/)
  assert.match(engineVersion, /^3\./)
  assert(pageCount > 3)
  assert.deepEqual(
    { ...validation, durationMs: 0 },
    {
      level: 'integrity',
      ok: true,
      findings: [],
      foreignKeyViolations: 0,
      durationMs: 0,
    },
  )
})

test('the schema digest follows the schema, not rows nor where tables lie', async () => {
  using folder = temporaryFolder()
  const digestOf = async (sql: string, name: string) => {
    makeDatabase(folder.file(name), sql)
    return (await inspect(folder.file(name), { validation: 'none', rowCounts: false })).facts.schemaDigest
  }
  const digest = await digestOf('CREATE TABLE a (x); CREATE TABLE b (x)', '1.db')
  assert.equal(await digestOf('CREATE TABLE b (x); CREATE TABLE a (x); INSERT INTO a VALUES (1)', '2.db'), digest)
  assert.notEqual(await digestOf('CREATE TABLE a (x); CREATE TABLE b (x, y)', '3.db'), digest)
  assert.notEqual(await digestOf('CREATE TABLE a (x); CREATE TABLE b (x); CREATE INDEX i ON a (x)', '4.db'), digest)
})

test('rows are counted and structure checked only when asked for', async () => {
  using folder = temporaryFolder()
  makeDatabase(folder.file('app.db'), 'CREATE TABLE t (x)')
  const { facts, validation } = await inspect(folder.file('app.db'), { validation: 'none', rowCounts: false })
  assert.deepEqual(facts.tables, [{ name: 't', rows: null }])
  assert.deepEqual([validation.level, validation.ok], ['none', true])
})

test('full-text and R-tree tables are counted and pass the checks', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(
    path,
    `CREATE VIRTUAL TABLE docs USING fts5 (body); INSERT INTO docs VALUES ('one two'), ('three');
     CREATE VIRTUAL TABLE old USING fts4 (body); INSERT INTO old VALUES ('four');
     CREATE VIRTUAL TABLE boxes USING rtree (id, a, b); INSERT INTO boxes VALUES (1, 2, 3)`,
  )
  for (const validation of ['quick', 'integrity'] as const) {
    const { facts, validation: report } = await inspect(path, { validation, rowCounts: true })
    assert.deepEqual(report.findings, [])
    const rows = new Map(facts.tables.map((table) => [table.name, table.rows]))
    assert.deepEqual([rows.get('docs'), rows.get('old'), rows.get('boxes')], [2, 1, 1])
    assert.equal(rows.get('docs_content'), 2)
  }
})

test('tables that need what only the application has are no damage', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(
    path,
    `CREATE TABLE plain (x); CREATE TABLE t (x CHECK (only_in_the_application(x) > 0)); INSERT INTO t VALUES (1);
     CREATE INDEX by_function ON plain (only_in_the_application(x))`,
  )
  using database = new DatabaseSync(path)
  database.enableDefensive(false)
  database.exec(`PRAGMA writable_schema = on;
    INSERT INTO sqlite_schema VALUES ('table', 'foreign', 'foreign', 0, 'CREATE VIRTUAL TABLE "foreign" USING no_such_module(x)')`)
  database.close()
  for (const validation of ['quick', 'integrity'] as const) {
    const { facts, validation: report } = await inspect(path, { validation, rowCounts: true })
    assert.deepEqual(report.findings, [])
    assert.deepEqual(facts.tables, [
      { name: 'foreign', rows: null },
      { name: 'plain', rows: 0 },
      { name: 't', rows: 1 },
    ])
  }
})

test('damage is found in what only the application can check, too', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const layout of ['', 'WITHOUT ROWID']) {
    for (const pageSize of [512, 4096, 65536]) {
      rmSync(path, { force: true })
      makeDatabase(
        path,
        `PRAGMA page_size = ${pageSize};
         CREATE TABLE t (id INTEGER PRIMARY KEY, x) ${layout};
         CREATE INDEX by_order ON t (x COLLATE nocase);
         INSERT INTO t SELECT value, hex(randomblob(value * 20)) FROM (WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 200) SELECT value FROM n);
         CREATE TABLE u (x); INSERT INTO u SELECT x FROM t; DROP TABLE u`,
      )
      useCollation(path)
      assert.deepEqual((await inspect(path)).validation.findings, [], `${layout} ${pageSize}`)
      const bytes = readFileSync(path)
      const freePages = bytes.readUInt32BE(36)
      assert(freePages > 1)
      const counted = Buffer.from(bytes)
      counted.writeUInt32BE(freePages - 1, 36)
      writeFileSync(path, counted)
      assert.match((await inspect(path)).validation.findings.join(), /^\d+ pages are in use or free, of \d+$/)
      // A leaf of the tree: the first child of its root, which is on page 2.
      const cell = pageSize + bytes.readUInt16BE(pageSize + 12)
      const child = bytes.readUInt32BE(cell)
      bytes.fill(0xab, (child - 1) * pageSize, child * pageSize)
      writeFileSync(path, bytes)
      for (const validation of ['quick', 'integrity'] as const) {
        const report = (await inspect(path, { validation, rowCounts: true })).validation
        assert.deepEqual([report.ok, report.findings], [false, [`t: page ${child} is malformed`]])
      }
    }
  }
})

test('rows whose parent is missing are counted, and their tables named', async () => {
  using folder = temporaryFolder()
  makeDatabase(
    folder.file('app.db'),
    `PRAGMA foreign_keys = off; CREATE TABLE parent (id INTEGER PRIMARY KEY);
     CREATE TABLE child (p REFERENCES parent); INSERT INTO child VALUES (1), (2), (NULL)`,
  )
  const { validation, tablesBreakingForeignKeys } = await inspect(folder.file('app.db'))
  assert.deepEqual([validation.ok, validation.foreignKeyViolations, validation.findings], [false, 2, []])
  assert.deepEqual(tablesBreakingForeignKeys, ['child'])
})

/** A table with an index, big enough to have pages of every kind. */
const sizeable = `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE INDEX by_x ON t (x);
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO t SELECT i, hex(randomblob(40)) FROM n`

test('a damaged page is a finding, and the pages can be read all the same', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const journalMode of ['wal', 'delete']) {
    makeDatabase(path, `PRAGMA journal_mode = ${journalMode}; DROP TABLE IF EXISTS t; ${sizeable}`)
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 20 * 4096, 24 * 4096)
    writeFileSync(path, bytes)
    await using snapshot = await sqlite(path).openSnapshot()
    const { validation } = await snapshot.inspect(integrity)
    assert.equal(validation.ok, false)
    assert(validation.findings.length > 0 && validation.findings.length <= 20)
    await writeSnapshot(snapshot, folder.file('copy.db'))
    assert.deepEqual(readFileSync(folder.file('copy.db')), bytes)
    await snapshot[Symbol.asyncDispose]()
    writeFileSync(path, '')
  }
})

test('a file that was cut short, and a schema that makes no sense, are findings too', async () => {
  using folder = temporaryFolder()
  const cut = folder.file('cut.db')
  makeDatabase(cut, sizeable)
  truncateSync(cut, 10 * 4096)
  const broken = folder.file('broken.db')
  makeDatabase(broken, sizeable)
  using database = new DatabaseSync(broken)
  database.enableDefensive(false)
  database.exec("PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = 'CREATE TABLE nonsense(' WHERE name = 't'")
  database.close()
  for (const path of [cut, broken]) {
    await using snapshot = await sqlite(path).openSnapshot()
    const { validation } = await snapshot.inspect(integrity)
    assert.equal(validation.ok, false, path)
    assert(validation.findings.length > 0)
    await writeSnapshot(snapshot, folder.file('copy.db'))
    await snapshot[Symbol.asyncDispose]()
    assert.deepEqual(readFileSync(folder.file('copy.db')), readFileSync(path))
  }
})

test('an inspection can be cancelled, and the snapshot still serves', async () => {
  using folder = temporaryFolder()
  makeDatabase(folder.file('app.db'), sizeable)
  await using snapshot = await sqlite(folder.file('app.db')).openSnapshot()
  const signal = AbortSignal.abort()
  await assert.rejects(() => snapshot.inspect({ ...integrity, signal }), { code: 'ABORTED' })
  const other = snapshot.inspect(integrity)
  const controller = new AbortController()
  const cancelled = assert.rejects(() => snapshot.inspect({ ...integrity, signal: controller.signal }), {
    code: 'ABORTED',
  })
  controller.abort()
  await cancelled
  assert((await other).validation.ok, 'one that was not cancelled goes on')
})

test('a damaged header on the first page is a finding, and the database can still be copied', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, sizeable)
  const bytes = readFileSync(path).fill(0xff, 100, 112)
  writeFileSync(path, bytes)
  await using snapshot = await sqlite(path).openSnapshot()
  const { validation } = await snapshot.inspect(integrity)
  assert.equal(validation.ok, false)
  await writeSnapshot(snapshot, folder.file('copy.db'))
  assert.deepEqual(readFileSync(folder.file('copy.db')), bytes)
})

test('a schema format that SQLite does not know is refused', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, sizeable)
  writeFileSync(path, readFileSync(path).fill(0xff, 44, 48))
  await assert.rejects(inspect(path), { code: 'DATABASE_UNSUPPORTED' })
})
