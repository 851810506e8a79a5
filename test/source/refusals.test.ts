import assert from 'node:assert/strict'
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type ErrorCode, HoldfastError } from '../../src/errors.ts'
import { requireEngineVersion } from '../../src/source/sqlite/engine-version.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { seededRandom } from '../support/random.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function makeDatabase(path: string, settings = 'PRAGMA journal_mode = wal'): void {
  using database = new DatabaseSync(path)
  database.exec(
    `${settings}; CREATE TABLE t (x); INSERT INTO t SELECT randomblob(2000) FROM json_each('[1,2,3,4,5,6]')`,
  )
}

async function assertRefused(path: string, code: ErrorCode, says: RegExp): Promise<void> {
  await assert.rejects(
    () => sqlite(path).openSnapshot({ busyTimeoutMs: 50 }),
    (error) => {
      assert(error instanceof HoldfastError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, says)
      assert.equal(error.object, path)
      return true
    },
  )
}

/** What a user without privileges gets. */
async function answerTo(path: string): Promise<string> {
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const child = fork(new URL('./fixtures/open-snapshot.ts', import.meta.url), [path], user)
  const [answer] = await once(child, 'message')
  return answer
}

test('a path without a file is not found, and no file is made', async () => {
  using folder = temporaryFolder()
  await assertRefused(folder.file('app.db'), 'DATABASE_NOT_FOUND', /There is no file/)
  await assertRefused(folder.file('no/such/folder/app.db'), 'DATABASE_NOT_FOUND', /There is no file/)
  assert(!existsSync(folder.file('app.db')))
  symlinkSync(folder.file('gone.db'), folder.file('dangling.db'))
  await assertRefused(folder.file('dangling.db'), 'DATABASE_NOT_FOUND', /There is no file/)
})

test('a folder, a pipe and a device are no databases', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('folder.db'))
  await assertRefused(folder.file('folder.db'), 'NOT_A_DATABASE', /is a folder/)
  execFileSync('mkfifo', [folder.file('pipe.db')])
  await assertRefused(folder.file('pipe.db'), 'NOT_A_DATABASE', /not a regular file/)
  await assertRefused('/dev/zero', 'NOT_A_DATABASE', /not a regular file/)
})

test('text, a few bytes, and bytes of a length that no database has are no databases', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const content of ['hello\n', 'SQLite format 3\0', 'name,value\n'.repeat(1024), seededRandom(1).bytes(5000)]) {
    writeFileSync(path, content)
    await assertRefused(path, 'NOT_A_DATABASE', /is not a SQLite database/)
  }
})

test('whole pages of noise are taken for an encrypted database', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const size of [512, 4096, 65536]) {
    writeFileSync(path, seededRandom(size).bytes(size))
    await assertRefused(path, 'DATABASE_ENCRYPTED', /seems to be encrypted/)
  }
})

test('a wal2 database, and any header from the future, is refused with the reason', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path)
  const bytes = readFileSync(path)
  bytes[18] = 3
  bytes[19] = 3
  writeFileSync(path, bytes)
  await assertRefused(path, 'DATABASE_UNSUPPORTED', /wal2/)
})

test('an empty file beside a log that is not empty is refused, because SQLite would delete the log', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  writeFileSync(path, '')
  writeFileSync(`${path}-wal`, 'what is left')
  await assertRefused(path, 'DATABASE_UNSUPPORTED', /is empty, but its log/)
  assert.equal(readFileSync(`${path}-wal`, 'latin1'), 'what is left')
})

test('a database in locking_mode=EXCLUSIVE is refused with the reason', async () => {
  using folder = temporaryFolder()
  await using application = await SqlProcess.open(folder.file('app.db'))
  await application.query('PRAGMA locking_mode = exclusive', 'PRAGMA journal_mode = wal', 'CREATE TABLE t (x)')
  await assertRefused(folder.file('app.db'), 'DATABASE_UNSUPPORTED', /locking_mode=EXCLUSIVE/)
  await application.query('DROP TABLE t')
})

test('a database whose log lies beside another name of it is refused, as long as that is in use', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells who has a file open')
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path)
  mkdirSync(folder.file('links'))
  const link = folder.file('links/app.db')
  linkSync(path, link)
  await using application = await SqlProcess.open(path)
  await application.query('INSERT INTO t VALUES (1)')
  await assertRefused(link, 'DATABASE_UNSUPPORTED', /is open under another name, .*app\.db, in .* \(process \d+\)/)
  await assert.rejects(() => sqlite(link).openFollower(), { code: 'DATABASE_UNSUPPORTED' })
  assert.deepEqual(readdirSync(folder.file('links')), ['app.db'])
  for (const name of [path, folder.file('links/../app.db')]) {
    await using snapshot = await sqlite(name).openSnapshot()
    assert.equal(snapshot.pageCount, 5)
  }
  await application.close()
  await using snapshot = await sqlite(link).openSnapshot()
  assert.equal(snapshot.pageCount, 5, 'nobody has a log any more')
})

test('a rollback-journal database that stays locked past the timeout is busy', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, 'PRAGMA journal_mode = delete')
  await using application = await SqlProcess.open(path)
  await application.query('BEGIN EXCLUSIVE')
  await assertRefused(path, 'DATABASE_BUSY', /keeps .* locked/)
  const opening = sqlite(path).openSnapshot({ busyTimeoutMs: 20_000 })
  await application.query('ROLLBACK')
  await using snapshot = await opening
  assert(snapshot.pageCount > 0, 'and is read as soon as it is free')
})

test('waiting for a lock can be cancelled', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, 'PRAGMA journal_mode = delete')
  await using application = await SqlProcess.open(path)
  await application.query('BEGIN EXCLUSIVE')
  const signal = AbortSignal.timeout(100)
  await assert.rejects(() => sqlite(path).openSnapshot({ busyTimeoutMs: 3_600_000, signal }), { code: 'ABORTED' })
  await assert.rejects(() => sqlite(path).openSnapshot({ signal }), { code: 'ABORTED' })
})

test('without the right to read the file, or to write beside a WAL database, access is denied with the reason', async (t) => {
  using folder = temporaryFolder()
  if (process.platform === 'win32') return t.skip('POSIX modes')
  chmodSync(folder.path, 0o755)
  const wal = folder.file('wal.db')
  makeDatabase(wal)
  const rollback = folder.file('rollback.db')
  makeDatabase(rollback, 'PRAGMA journal_mode = delete')
  chmodSync(folder.path, 0o555)
  assert.equal(await answerTo(rollback), 'opened', 'reading is enough for a rollback-journal database')
  assert.match(await answerTo(wal), /^ACCESS_DENIED: To read .* in WAL mode, SQLite needs write access/)
  chmodSync(rollback, 0o000)
  assert.match(await answerTo(rollback), /^ACCESS_DENIED: Access to .* is denied/)
  chmodSync(folder.path, 0o755)
})

test('who may not write to a WAL database leaves no files beside it that its application could not write to', async (t) => {
  using folder = temporaryFolder()
  if (process.platform === 'win32') return t.skip('POSIX modes')
  chmodSync(folder.path, 0o777)
  const path = folder.file('app.db')
  makeDatabase(path)
  chmodSync(path, 0o444)
  assert.match(
    await answerTo(path),
    /^ACCESS_DENIED: To read .* while it is not in use, SQLite needs write access to it/,
  )
  assert.deepEqual(readdirSync(folder.path), ['app.db'])

  chmodSync(path, 0o644)
  await using application = await SqlProcess.open(path)
  await application.query('INSERT INTO t VALUES (1)')
  chmodSync(path, 0o444)
  const [log, index] = [folder.file('app.db-wal'), folder.file('app.db-shm')]
  chmodSync(index, 0o666)
  assert.equal(await answerTo(path), 'opened', 'the files of the application are there already')
  chmodSync(log, 0o000)
  assert.match(await answerTo(path), /^ACCESS_DENIED: Access to .*app\.db-wal is denied/)
  rmSync(index)
  chmodSync(log, 0o644)
  assert.match(await answerTo(path), /^ACCESS_DENIED: To read .* needs write access to it/)
  assert.deepEqual(readdirSync(folder.path).sort(), ['app.db', 'app.db-wal'])
})

for (const journalMode of ['wal', 'delete']) {
  test(`a ${journalMode} database that is replaced or removed while it is read has changed`, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    for (const change of ['replace', 'remove']) {
      makeDatabase(path, `DROP TABLE IF EXISTS t; PRAGMA journal_mode = ${journalMode}`)
      await using snapshot = await sqlite(path).openSnapshot()
      const kept = folder.file('kept.db')
      renameSync(path, kept)
      if (change === 'replace') copyFileSync(kept, path)
      await assert.rejects(() => Array.fromAsync(snapshot.pages()), { code: 'DATABASE_CHANGED', object: path })
      if (change === 'remove') renameSync(kept, path)
    }
  })

  test(`a ${journalMode} database that is cut short while it is read has changed`, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path, `PRAGMA journal_mode = ${journalMode}`)
    await using snapshot = await sqlite(path).openSnapshot()
    truncateSync(path, 4096)
    await assert.rejects(() => Array.fromAsync(snapshot.pages()), { code: 'DATABASE_CHANGED', object: path })
  })
}

test('a rollback-journal database that is written to in spite of the lock has changed', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, 'PRAGMA journal_mode = delete')
  await using snapshot = await sqlite(path).openSnapshot()
  execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=100', 'seek=50', 'count=1', 'conv=notrunc', 'status=none'])
  utimesSync(path, new Date(), new Date(Date.now() + 5000))
  await assert.rejects(() => Array.fromAsync(snapshot.pages()), { code: 'DATABASE_CHANGED', object: path })
})

test('reading can be cancelled between batches', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(3000000))')
  await using snapshot = await sqlite(path).openSnapshot()
  const controller = new AbortController()
  let batches = 0
  const reading = async () => {
    for await (const _ of snapshot.pages({ signal: controller.signal })) if (++batches === 2) controller.abort()
  }
  await assert.rejects(reading, { code: 'ABORTED' })
  assert.equal(batches, 2)
})

test('a SQLite library with the WAL-reset bug is refused', () => {
  for (const version of ['3.51.2', '3.50.4', '3.7.17', '2.8']) {
    assert.throws(() => requireEngineVersion(version), { code: 'DATABASE_UNSUPPORTED' })
  }
  for (const version of ['3.51.3', '3.52.0', '3.53.4', '4.0.0']) requireEngineVersion(version)
})
