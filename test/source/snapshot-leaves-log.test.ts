import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const commitAndDie = fileURLToPath(new URL('./target/commit-and-die.ts', import.meta.url))

test('a log that an application left while its database was read stays as it is', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  {
    using database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = wal; CREATE TABLE parent(id INTEGER PRIMARY KEY)')
  }
  const before = readFileSync(path)
  let log: Buffer
  {
    await using _ = await sqlite(path).openSnapshot()
    spawnSync(process.execPath, [commitAndDie, path])
    log = readFileSync(`${path}-wal`)
    assert.ok(log.length > 0)
  }
  assert.ok(readFileSync(path).equals(before), 'nothing was copied into the database')
  assert.ok(readFileSync(`${path}-wal`).equals(log))
  using database = new DatabaseSync(path)
  assert.equal(database.prepare('SELECT id FROM parent').get()?.['id'], 4711)
})

test('an empty log that a snapshot made itself goes with it', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  {
    using database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = wal; CREATE TABLE t (x)')
  }
  const { mtimeMs } = statSync(path)
  {
    await using _ = await sqlite(path).openSnapshot()
  }
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
  assert.equal(statSync(path).mtimeMs, mtimeMs)
})
