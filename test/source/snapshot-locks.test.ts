import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { SourceSnapshot } from '../../src/source/source.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'

const grow = 'INSERT INTO t (x) SELECT randomblob(2000) FROM (VALUES (1), (2), (3), (4), (5))'
const logState = 'PRAGMA wal_checkpoint(TRUNCATE)'

async function openApplication(path: string, mode = 'wal'): Promise<SqlProcess> {
  const application = await SqlProcess.open(path)
  await application.query(
    `PRAGMA journal_mode = ${mode}`,
    'PRAGMA wal_autocheckpoint = 0',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, x)',
    grow,
  )
  return application
}

async function pagesOf(snapshot: SourceSnapshot, path: string): Promise<Buffer> {
  await writeSnapshot(snapshot, path)
  return readFileSync(path)
}

async function isLogPinned(application: SqlProcess): Promise<boolean> {
  const [result] = await application.query(logState)
  return result?.['busy'] === 1
}

test('while a snapshot is open, nobody can reset the log under it', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using snapshot = await sqlite(folder.file('app.db')).openSnapshot()
  const before = await pagesOf(snapshot, folder.file('copy.db'))
  await application.query(grow)
  assert(await isLogPinned(application))
  assert.deepEqual(await pagesOf(snapshot, folder.file('copy.db')), before)
  await snapshot[Symbol.asyncDispose]()
  assert(!(await isLogPinned(application)), 'a closed snapshot lets go')
})

test('a second snapshot in the same process, opened and closed, does not loosen the first', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  const source = sqlite(folder.file('app.db'))
  await using first = await source.openSnapshot()
  const before = await pagesOf(first, folder.file('copy.db'))
  await application.query(grow)
  {
    await using second = await source.openSnapshot()
    assert(second.pageCount > first.pageCount, 'each holds its own commit')
    await second.inspect({ validation: 'integrity', rowCounts: true })
    await pagesOf(second, folder.file('copy.db'))
  }
  assert(await isLogPinned(application))
  await application.query(grow)
  assert(await isLogPinned(application))
  assert.deepEqual(await pagesOf(first, folder.file('copy.db')), before)
})

test('many snapshots at once, opened and closed in any order, each hold their commit', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  const source = sqlite(folder.file('app.db'))
  await using opened = new AsyncDisposableStack()
  const held: { snapshot: SourceSnapshot; bytes: Buffer }[] = []
  for (let round = 0; round < 6; round++) {
    const snapshot = opened.use(await source.openSnapshot())
    held.push({ snapshot, bytes: await pagesOf(snapshot, folder.file('copy.db')) })
    await application.query(grow)
    if (round % 2 === 1) await held.splice(round === 3 ? 1 : 0, 1)[0]?.snapshot[Symbol.asyncDispose]()
    await isLogPinned(application)
  }
  for (const { snapshot, bytes } of held) {
    assert.deepEqual(await pagesOf(snapshot, folder.file('copy.db')), bytes)
  }
})

test('a snapshot of a fully copied log keeps checkpoints off the file, though the log is reset', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await application.query('PRAGMA wal_checkpoint(FULL)')
  await using snapshot = await sqlite(folder.file('app.db')).openSnapshot()
  const before = await pagesOf(snapshot, folder.file('copy.db'))
  // The log starts anew over the old frames, with rows changed and the file due to shrink.
  await application.query('DELETE FROM t', 'INSERT INTO t VALUES (99, randomblob(900))')
  await application.run('VACUUM')
  const [passive] = await application.query('PRAGMA wal_checkpoint(PASSIVE)')
  assert.equal(passive?.['checkpointed'], 0, 'nothing may be copied into the file')
  assert.deepEqual(await pagesOf(snapshot, folder.file('copy.db')), before)
})

test('pages that only the log holds, some copied into the file already, are read from the right place', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  const source = sqlite(folder.file('app.db'))
  await using older = await source.openSnapshot()
  await application.query(grow, 'UPDATE t SET x = zeroblob(1500) WHERE id < 3')
  await using younger = await source.openSnapshot()
  const before = await pagesOf(younger, folder.file('copy.db'))
  // Copies the frames up to the older snapshot's mark, and no further.
  const [passive] = await application.query('PRAGMA wal_checkpoint(PASSIVE)')
  assert(Number(passive?.['checkpointed']) > 0 && Number(passive?.['checkpointed']) < Number(passive?.['log']))
  assert.deepEqual(await pagesOf(younger, folder.file('copy.db')), before)
  await older[Symbol.asyncDispose]()
  await application.query('PRAGMA wal_checkpoint(PASSIVE)', grow)
  assert.deepEqual(await pagesOf(younger, folder.file('copy.db')), before)
})

test('a rollback-journal database lets nobody commit while it is held, and says so', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'), 'delete')
  const source = sqlite(folder.file('app.db'))
  await using first = await source.openSnapshot()
  assert(first.blocksWriters)
  {
    await using second = await source.openSnapshot()
    await second.inspect({ validation: 'quick', rowCounts: false })
  }
  assert.deepEqual(await application.run(grow), { error: 'database is locked' })
  await first[Symbol.asyncDispose]()
  await application.query(grow)
})

test('nothing can be read from a snapshot that was disposed of', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  const snapshot = await sqlite(folder.file('app.db')).openSnapshot()
  const pages = snapshot.pages()[Symbol.asyncIterator]()
  await pages.next()
  await snapshot[Symbol.asyncDispose]()
  await assert.rejects(() => pages.next(), { code: 'INTERNAL' })
  await assert.rejects(() => snapshot.inspect({ validation: 'none', rowCounts: false }), { code: 'INTERNAL' })
  await snapshot[Symbol.asyncDispose]()
  assert(!(await isLogPinned(application)))
})
