import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readFacts, runChecks } from '../../../src/source/sqlite/inspect.ts'
import { makeDatabase, TestFolder } from './fixtures.ts'

test('facts tell the schema, the settings and every table’s rows', () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, { pageSize: 1024, wal: true, rows: 30 })
  using db = new DatabaseSync(path)
  db.exec(
    `PRAGMA user_version = 7; PRAGMA application_id = -3; CREATE VIRTUAL TABLE note USING fts5(text); CREATE TABLE "a ""b"" c"(x)`,
  )
  const facts = readFacts(db, { rowCounts: true })
  assert.deepEqual(
    [facts.pageSize, facts.journalMode, facts.encoding, facts.userVersion, facts.applicationId],
    [1024, 'wal', 'UTF-8', 7, -3],
  )
  const rows = new Map(facts.tables.map((table) => [table.name, table.rows]))
  assert.deepEqual([rows.get('item'), rows.get('parent'), rows.get('note'), rows.get('a "b" c')], [30, 1, 0, 0])
  assert.equal(facts.schemaDigest, readFacts(db, { rowCounts: false }).schemaDigest)
  assert.ok(readFacts(db, { rowCounts: false }).tables.every((table) => table.rows === null))
  db.exec('CREATE INDEX more ON item(seed)')
  assert.notEqual(readFacts(db, { rowCounts: false }).schemaDigest, facts.schemaDigest)
})

test('a virtual table without its module is not counted', () => {
  using folder = new TestFolder()
  using db = new DatabaseSync(folder.file('app.db'), { defensive: false })
  db.exec(`CREATE TABLE t(x); PRAGMA writable_schema = ON;
    INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING no_such_module(x)')`)
  using again = new DatabaseSync(folder.file('app.db'))
  const { tables } = readFacts(again, { rowCounts: true })
  assert.deepEqual(
    tables.map(({ name, rows }) => [name, rows]),
    [
      ['gone', null],
      ['t', 0],
    ],
  )
  assert.equal(runChecks(again, 'integrity').ok, true)
})

test('checks count foreign key violations, also beside a table whose parent key is ill defined', () => {
  using db = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false })
  db.exec(`CREATE TABLE p(id INTEGER PRIMARY KEY, plain); CREATE TABLE c(p REFERENCES p(id)); INSERT INTO c VALUES (1), (2);
    CREATE TABLE ill(p REFERENCES p(plain)); INSERT INTO ill VALUES (1)`)
  const report = runChecks(db, 'quick')
  assert.deepEqual([report.ok, report.foreignKeyViolations], [false, 2])
  assert.match(report.findings.join(), /mismatch.*ill/)
  assert.deepEqual(runChecks(db, 'none'), {
    ...report,
    level: 'none',
    ok: true,
    findings: [],
    foreignKeyViolations: 0,
    durationMs: 0,
  })
})

test('damage anywhere gives findings, at most 20, and facts as far as they go', () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, { rows: 2000 })
  const whole = readFileSync(path)
  for (const [from, to] of [
    [100, 112],
    [20, 24],
    [4096, 8192],
    [8192, whole.length],
  ] as const) {
    const damaged = Buffer.from(whole)
    damaged.fill(0x5a, from, to)
    writeFileSync(path, damaged)
    using db = new DatabaseSync(path)
    const report = runChecks(db, 'integrity')
    assert.equal(report.ok, false, `${from}`)
    assert.ok(report.findings.length > 0 && report.findings.length <= 20)
    readFacts(db, { rowCounts: true })
  }
})

test('a locked database is not called damaged', () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, {})
  using holder = new DatabaseSync(path)
  holder.exec('BEGIN EXCLUSIVE')
  using db = new DatabaseSync(path)
  assert.throws(() => runChecks(db, 'quick'), /locked/)
  assert.throws(() => readFacts(db, { rowCounts: false }), /locked/)
})
