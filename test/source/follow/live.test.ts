import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, renameSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangedPages } from '../../../src/source/follower.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { drainAll, FollowedCopy } from './followed-copy.ts'

const insertSome = `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200)
  INSERT INTO t (x) SELECT randomblob(500) FROM c`

async function openApplication(path: string): Promise<SqlProcess> {
  const application = await SqlProcess.open(path)
  await application.query(
    'PRAGMA journal_mode = wal',
    'PRAGMA wal_autocheckpoint = 0',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)',
    insertSome,
  )
  return application
}

test('every transaction is a commit of its own', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using follower = await sqlite(folder.file('app.db')).openFollower()
  const copy = await FollowedCopy.begin(follower)
  const states = new Set<string>()
  copy.onCommit = () => {
    states.add(follower.position.state)
  }
  for (let count = 0; count < 50; count++)
    await application.query(`UPDATE t SET x = 'a${count}' WHERE id = ${count + 1}`)
  const result = await follower.drain(copy)
  assert.deepEqual([result.commits, result.lost], [50, undefined])
  assert.equal(states.size, 50, 'the position is that of each commit')
  assert.deepEqual(await follower.drain(copy), { commits: 0, bytes: 0, lost: undefined })
})

test('frames that were not committed are never taken: spilled, rewritten, rolled back', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using follower = await sqlite(folder.file('app.db')).openFollower()
  const copy = await FollowedCopy.begin(follower)
  const before = Buffer.from(copy.image)
  await application.query('PRAGMA cache_size = 5', 'BEGIN', insertSome, 'UPDATE t SET x = randomblob(450)')
  assert(readFileSync(`${folder.file('app.db')}-wal`).length > 2 * 200 * 500, 'it stands in the log')
  assert.equal((await follower.drain(copy)).commits, 0)
  await application.query('SAVEPOINT s', insertSome, 'ROLLBACK TO s', insertSome, 'ROLLBACK')
  assert.equal((await follower.drain(copy)).commits, 0)
  assert(copy.image.equals(before))
  await application.query('BEGIN', insertSome, 'SAVEPOINT s', 'UPDATE t SET x = 1', 'ROLLBACK TO s', 'COMMIT')
  assert.equal((await follower.drain(copy)).commits, 1)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a transaction larger than what is held in memory at once comes in batches, and is one commit', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using follower = await sqlite(folder.file('app.db')).openFollower()
  const copy = await FollowedCopy.begin(follower)
  const sizes: number[] = []
  const receiver = {
    pages(batch: ChangedPages) {
      sizes.push(batch.values.length)
      copy.pages(batch)
    },
    commit: copy.commit.bind(copy),
  }
  const insertMany = insertSome.replace('200', '15000')
  await application.query('PRAGMA cache_size = 20', 'BEGIN', insertMany, 'UPDATE t SET x = randomblob(300)', 'COMMIT')
  assert.deepEqual([(await follower.drain(receiver)).commits, copy.commits], [1, 1])
  assert(sizes.length > 5 && Math.max(...sizes) <= 1 << 20)
  assert.equal(copy.withoutFormer, 0)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a drain that is cancelled within a transaction gives the whole of it again', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using follower = await sqlite(folder.file('app.db')).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query(insertSome.replace('200', '10000'))
  const stop = new AbortController()
  const stopping = { pages: () => stop.abort(), commit: () => assert.fail('it was stopped') }
  const { position } = follower
  await assert.rejects(() => follower.drain(stopping, { signal: stop.signal }), { code: 'ABORTED' })
  assert.deepEqual(follower.position, position)
  await drainAll(follower, copy)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a file that was put in the place of the database is noticed', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await openApplication(path)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query('PRAGMA wal_checkpoint')
  copyFileSync(path, folder.file('other.db'))
  renameSync(folder.file('other.db'), path)
  await follower.wait(60_000)
  assert.equal((await follower.drain(copy)).lost, 'file-replaced')
  assert.equal((await follower.handOff(copy)).lost, 'file-replaced', 'and that stays so')
})

test('a change that no commit made is found by the audit, or when its page is next written', async () => {
  for (const how of ['audit', 'write'] as const) {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = await openApplication(path)
    await application.query('PRAGMA wal_checkpoint(TRUNCATE)')
    await using follower = await sqlite(path).openFollower()
    assert(follower.start.kind === 'anew')
    const copy = await FollowedCopy.begin(follower)
    await follower[Symbol.asyncDispose]()
    // A follower whose notion of the state is not the database's, as if it had missed a commit.
    await using misled = await sqlite(path).openFollower()
    assert(misled.start.kind === 'anew')
    await misled.start.begin(copy.hashes.map((hash) => hash ^ 1n))
    if (how === 'audit') {
      const result = await misled.audit({ pages() {}, commit() {} })
      assert.deepEqual([result.equal, result.lost], [false, 'audit-failed'])
    } else {
      await application.query(`UPDATE t SET x = 'changed' WHERE id = 100`)
      const result = await misled.drain({ pages: () => assert.fail('wrong pages'), commit: () => assert.fail() })
      assert.deepEqual(result, { commits: 0, bytes: 0, lost: 'audit-failed' })
    }
  }
})

test('waiting ends with a commit, with the time, or with the signal', async () => {
  using folder = temporaryFolder()
  await using application = await openApplication(folder.file('app.db'))
  await using follower = await sqlite(folder.file('app.db')).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await follower.wait(30)
  for (let round = 0; round < 5; round++) {
    const waiting = follower.wait(600_000)
    await application.query(insertSome)
    await waiting
    assert((await follower.drain(copy)).commits >= 1)
  }
  const stop = new AbortController()
  const waiting = follower.wait(600_000, stop.signal)
  stop.abort()
  await assert.rejects(waiting, { code: 'ABORTED' })
})

test('snapshots and hand-offs of the same process do not loosen the hold on the log', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await openApplication(path)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  const assertHeld = async () => {
    await application.query(insertSome)
    const [row] = await application.query('PRAGMA wal_checkpoint(TRUNCATE)')
    assert.equal(row?.['busy'], 1, 'the log cannot be reset under us')
  }
  for (let round = 0; round < 3; round++) {
    {
      await using snapshot = await sqlite(path).openSnapshot()
      for await (const _ of snapshot.pages());
    }
    await assertHeld()
    assert.equal((await follower.handOff(copy)).complete, true)
    await assertHeld()
    await drainAll(follower, copy)
  }
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a database that is not in WAL mode is refused', async () => {
  using folder = temporaryFolder()
  await using application = await SqlProcess.open(folder.file('app.db'))
  await application.query('PRAGMA journal_mode = delete', 'CREATE TABLE t (x)')
  await assert.rejects(() => sqlite(folder.file('app.db')).openFollower(), { code: 'DATABASE_UNSUPPORTED' })
  await assert.rejects(() => sqlite(folder.file('none.db')).openFollower(), { code: 'DATABASE_NOT_FOUND' })
})

test('nothing is written into the database but what its own log holds', async () => {
  using folder = temporaryFolder()
  const [followed, alone] = [folder.file('followed.db'), folder.file('alone.db')]
  const statements = [
    'PRAGMA journal_mode = wal',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, x)',
    `INSERT INTO t (x) VALUES ('one'), ('two')`,
  ]
  const more = [`UPDATE t SET x = 'three' WHERE id = 1`, `INSERT INTO t (x) VALUES ('four')`]
  {
    await using one = await SqlProcess.open(followed)
    await using two = await SqlProcess.open(alone)
    await one.query(...statements)
    await two.query(...statements)
    {
      await using follower = await sqlite(followed).openFollower()
      const copy = await FollowedCopy.begin(follower)
      for (const statement of more) {
        await one.query(statement)
        await two.query(statement)
        assert((await follower.handOff(copy)).complete)
        assert((await follower.audit(copy)).equal)
        await sleep(1)
      }
    }
    await one.close()
    await two.close()
  }
  assert(readFileSync(followed).equals(readFileSync(alone)), 'byte for byte')
})
