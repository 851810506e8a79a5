import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'

interface FileState {
  readonly modified: number
  readonly bytes: Buffer
}

/** Names, bytes and modification times; the bytes of a wal-index are SQLite's scratch memory. */
function contents(folder: string): Record<string, FileState | 'present'> {
  const files = readdirSync(folder).sort()
  return Object.fromEntries(
    files.map((name) => {
      const path = join(folder, name)
      return [name, name.endsWith('-shm') ? 'present' : { modified: statSync(path).mtimeMs, bytes: readFileSync(path) }]
    }),
  )
}

async function snapshotAll(path: string, copy: string): Promise<void> {
  await using snapshot = await sqlite(path).openSnapshot()
  await writeSnapshot(snapshot, copy)
  await snapshot.inspect({ validation: 'integrity', rowCounts: true })
}

for (const journalMode of ['delete', 'truncate', 'persist', 'wal']) {
  test(`a snapshot leaves the folder of a closed ${journalMode} database as it was`, async () => {
    using folder = temporaryFolder()
    using elsewhere = temporaryFolder()
    const path = folder.file('app.db')
    const database = new DatabaseSync(path)
    database.exec(`PRAGMA journal_mode = ${journalMode}; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)`)
    database.close()
    const before = contents(folder.path)
    await snapshotAll(path, elsewhere.file('copy.db'))
    assert.deepEqual(contents(folder.path), before)
  })
}

test('a snapshot leaves the folder of an open database as it was', async () => {
  using folder = temporaryFolder()
  using elsewhere = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', 'INSERT INTO t VALUES (1)')
  // Not read through readFileSync while a connection of this process is open: it would drop SQLite's locks.
  const before = contents(folder.path)
  await snapshotAll(path, elsewhere.file('copy.db'))
  assert.deepEqual(contents(folder.path), before)
})

test('the log that a killed writer left is read, and neither checkpointed nor removed', async () => {
  using folder = temporaryFolder()
  using elsewhere = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', 'INSERT INTO t VALUES (1)')
  await application.kill()
  const before = contents(folder.path)
  await snapshotAll(path, elsewhere.file('copy.db'))
  assert.deepEqual(contents(folder.path), before)
  using copy = new DatabaseSync(elsewhere.file('copy.db'))
  assert.equal(copy.prepare('SELECT x FROM t').get()?.['x'], 1)
})

test('a log without its wal-index, as after a restart of the machine, is recovered by SQLite and read', async () => {
  using folder = temporaryFolder()
  using elsewhere = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', 'INSERT INTO t VALUES (1)')
  const moved = elsewhere.file('app.db')
  copyFileSync(path, moved)
  copyFileSync(`${path}-wal`, `${moved}-wal`)
  await snapshotAll(moved, elsewhere.file('copy.db'))
  assert.deepEqual(readFileSync(`${moved}-wal`), readFileSync(`${path}-wal`))
  using copy = new DatabaseSync(elsewhere.file('copy.db'))
  assert.equal(copy.prepare('SELECT x FROM t').get()?.['x'], 1)
})
