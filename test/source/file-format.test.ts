import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { lockPage } from '../../src/util/lock-page.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'

test('an empty file is an empty database', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('app.db'), '')
  await using snapshot = await sqlite(folder.file('app.db')).openSnapshot()
  assert.equal(snapshot.pageCount, 0)
  assert.equal(snapshot.pageSize, 4096)
  assert.deepEqual(await Array.fromAsync(snapshot.pages()), [])
  const { facts, validation } = await snapshot.inspect({ validation: 'integrity', rowCounts: true })
  assert(validation.ok)
  assert.deepEqual([facts.pageCount, facts.tables, facts.journalMode], [0, [], 'rollback'])
})

test('a file of a single byte is an empty database, as SQLite sees it', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  writeFileSync(path, 'x')
  await using snapshot = await sqlite(path).openSnapshot()
  assert.equal(snapshot.pageCount, 0)
  assert.deepEqual(await Array.fromAsync(snapshot.pages()), [])
  writeFileSync(`${path}-wal`, 'what is left')
  await assert.rejects(() => sqlite(path).openSnapshot(), { code: 'DATABASE_UNSUPPORTED' })
})

test('what follows the last page in the file is no part of the database', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const [journalMode, tail] of [
    ['delete', 8192],
    ['wal', 8192],
    ['delete', 100],
  ] as const) {
    using database = new DatabaseSync(path)
    database.exec(`PRAGMA journal_mode = ${journalMode}; DROP TABLE IF EXISTS t; VACUUM; CREATE TABLE t (x)`)
    database.close()
    const size = statSync(path).size
    appendFileSync(path, Buffer.alloc(tail, 'z'))
    await using snapshot = await sqlite(path).openSnapshot()
    assert.equal(snapshot.pageCount, size / 4096)
    await writeSnapshot(snapshot, folder.file('copy.db'))
    await snapshot[Symbol.asyncDispose]()
    assert.deepEqual(readFileSync(folder.file('copy.db')), readFileSync(path).subarray(0, size))
    truncateSync(path, size)
  }
})

test('a page count that an old writer left stale is not believed', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(20000))')
  database.close()
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(1, 28)
  bytes.writeUInt32BE(bytes.readUInt32BE(24) + 1, 24)
  writeFileSync(path, bytes)
  await using snapshot = await sqlite(path).openSnapshot()
  assert.equal(snapshot.pageCount, bytes.length / 4096)
})

test('in WAL mode the size is that of the last commit, not that of the file', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', 'INSERT INTO t VALUES (zeroblob(90000))')
  {
    await using grown = await sqlite(path).openSnapshot()
    assert(grown.pageCount * 4096 > statSync(path).size, 'grown in the log alone')
    await writeSnapshot(grown, folder.file('copy.db'))
  }
  await application.query('PRAGMA wal_checkpoint(TRUNCATE)', 'DELETE FROM t', 'VACUUM')
  await using shrunk = await sqlite(path).openSnapshot()
  assert(shrunk.pageCount * 4096 < statSync(path).size, 'shrunk in the log alone')
  await writeSnapshot(shrunk, folder.file('copy.db'))
  using copy = new DatabaseSync(folder.file('copy.db'))
  assert.equal(copy.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
})

test('the log of a linked database lies beside the real file', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('real'))
  const link = folder.file('link.db')
  await using application = await SqlProcess.open(folder.file('real/app.db'))
  symlinkSync(folder.file('real/app.db'), link)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', "INSERT INTO t VALUES ('in the log')")
  const source = sqlite(link)
  assert.deepEqual([source.location, source.defaultName], [link, 'link'])
  await using snapshot = await source.openSnapshot()
  await writeSnapshot(snapshot, folder.file('copy.db'))
  using copy = new DatabaseSync(folder.file('copy.db'))
  assert.equal(copy.prepare('SELECT x FROM t').get()?.['x'], 'in the log')
})

test('names with characters that mean something in a URL', async () => {
  using folder = temporaryFolder()
  const path = folder.file('a b?mode=memory#50%25 é.db')
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE t (x)')
  await using snapshot = await sqlite(path).openSnapshot()
  assert.equal(snapshot.pageCount, 2)
})

test('beyond 1 GiB, the lock page is left out', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  const pageSize = 65536
  using database = new DatabaseSync(path)
  // Pages of zeros: quick to write, and the file system may keep them as holes.
  database.exec(`
    PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = off; PRAGMA synchronous = off; CREATE TABLE t (x);
    INSERT INTO t SELECT zeroblob(64 << 20) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]');
    INSERT INTO t VALUES ('the last')
  `)
  database.close()
  await using snapshot = await sqlite(path).openSnapshot()
  assert(snapshot.pageCount > lockPage(pageSize))
  let next = 1
  for await (const { pages } of snapshot.pages()) {
    if (next === lockPage(pageSize)) next++
    assert.equal(pages[0], next)
    assert(!pages.includes(lockPage(pageSize)))
    next += pages.length
  }
  assert.equal(next, snapshot.pageCount + 1)
})
