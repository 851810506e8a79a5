/** A follower lets go of its second reader while nothing happens. */
import assert from 'node:assert/strict'
import { readdirSync, readlinkSync, renameSync } from 'node:fs'
import { test } from 'node:test'
import { openSqliteFollower } from '../../../src/source/sqlite/follow/open-follower.ts'
import { createOracleDatabase } from '../../support/oracle.ts'
import { seededRandom, testSeed } from '../../support/random.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { drainAll, FollowedCopy } from './followed-copy.ts'

const restless = { clock: Date.now, restMs: 0 }

function openLogs(path: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === `${path}-wal`
    } catch {
      return false
    }
  }).length
}

test('at rest only one reader holds the log, and a second comes with the next commit', {
  skip: process.platform === 'linux' ? false : 'open files are only told by Linux',
}, async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)')
  await using follower = await openSqliteFollower(path, {}, restless)
  const copy = await FollowedCopy.begin(follower)
  const rest = async () => {
    for (const end = performance.now() + 10_000; openLogs(path) > 2 && performance.now() < end; )
      await follower.wait(200)
  }
  await rest()
  assert.equal(openLogs(path), 2, 'one of SQLite, one of ours')
  await application.query('INSERT INTO t VALUES (1)')
  await drainAll(follower, copy)
  assert.equal((await follower.handOff(copy)).complete, true)
  assert.equal(openLogs(path), 3)
  await rest()
  assert.equal(openLogs(path), 2)
})

test('no commit is missed by a follower that rests, whatever checkpoints come meanwhile', {
  timeout: 120_000,
}, async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query(
    'PRAGMA journal_mode = wal',
    'PRAGMA busy_timeout = 50',
    'CREATE TABLE t (id INTEGER PRIMARY KEY, x)',
  )
  await using follower = await openSqliteFollower(path, {}, restless)
  const copy = await FollowedCopy.begin(follower)
  let commits = 0
  for (let round = 0; round < 150; round += 1) {
    const checkpoint = random.pick(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])
    if (random.below(3) > 0) {
      await application.query(`INSERT INTO t (x) VALUES (randomblob(${random.below(9000)}))`)
      commits += 1
    }
    if (random.below(2) === 0) await drainAll(follower, copy)
    const resting = follower.wait(random.below(30))
    if (random.below(3) === 0) await application.query(`PRAGMA wal_checkpoint(${checkpoint})`)
    await resting
    if (random.below(10) === 0) assert.equal((await follower.handOff(copy)).lost, undefined)
  }
  await drainAll(follower, copy)
  assert.equal(copy.commits, commits)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a follower that rests whenever it can takes every commit of writers at full speed', {
  timeout: 120_000,
}, async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  await using writer = await WriterProcess.start({
    path,
    seed,
    maintenancePercent: 3,
    autoCheckpoint: 100,
    synchronous: 'normal',
  })
  await using follower = await openSqliteFollower(path, { busyTimeoutMs: 20_000 }, restless)
  const copy = await FollowedCopy.begin(follower)
  for (let round = 0; round < 200; round += 1) {
    assert.equal((await follower.drain(copy)).lost, undefined)
    await follower.wait(5)
  }
  assert(writer.isRunning)
  const newest = await writer.stop()
  await drainAll(follower, copy)
  assert.equal(copy.check(folder.file('copy.db')), newest)
})

test('a file that was put in the place of a resting database is told apart', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  for (const name of ['app.db', 'other.db']) {
    await using application = await SqlProcess.open(folder.file(name))
    await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)')
  }
  await using follower = await openSqliteFollower(path, {}, restless)
  const copy = await FollowedCopy.begin(follower)
  await follower.wait(20)
  renameSync(folder.file('other.db'), path)
  await follower.wait(60_000)
  assert.equal((await follower.drain(copy)).lost, 'file-replaced')
})
