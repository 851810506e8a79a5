import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { checkOracle, createOracleDatabase } from '../../support/oracle.ts'
import { testSeed } from '../../support/random.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { drainAll, FollowedCopy } from './followed-copy.ts'

const insertSome = `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200)
  INSERT INTO t (x) SELECT randomblob(500) FROM c`

async function openApplication(path: string): Promise<SqlProcess> {
  const application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)', insertSome)
  return application
}

test('after a hand-off the application starts its log afresh', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await openApplication(path)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  for (let round = 0; round < 3; round++) {
    await application.query(insertSome)
    await drainAll(follower, copy)
    assert(follower.logBytes > 100_000)
    const result = await follower.handOff(copy)
    assert.equal(result.complete, true)
    assert(result.framesBefore > 20 && result.framesLeft === 0)
    assert.equal(follower.logBytes, 0)
    const { salts } = follower.position
    await application.query('UPDATE t SET x = randomblob(500) WHERE id = 1')
    await drainAll(follower, copy)
    assert.notEqual(follower.position.salts, salts, 'the log was reset')
    assert(follower.position.frame < 10)
    assert.equal((await follower.audit(copy)).equal, true)
  }
  assert.equal(copy.withoutFormer, 0)
})

test('the log of writers at full speed stays bounded by hand-offs', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  const load = { path, maintenancePercent: 0, autoCheckpoint: 1000, synchronous: 'normal' } as const
  await using writer = await WriterProcess.start({ ...load, seed })
  await using other = await WriterProcess.start({ ...load, seed: seed + 1 })
  await using follower = await sqlite(path).openFollower({ busyTimeoutMs: 20_000 })
  const copy = await FollowedCopy.begin(follower)
  const held: number[] = []
  let [handOffs, taken, salts] = [0, 0, new Set<string>()]
  while (handOffs < 8) {
    taken += (await follower.drain(copy)).bytes
    salts.add(follower.position.salts)
    if (follower.logBytes < 2_000_000) {
      await follower.wait(20)
      continue
    }
    const result = await follower.handOff(copy, { lockWaitMs: 100 })
    assert.equal(result.lost, undefined)
    taken += result.bytes
    if (result.lockHeldMs > 0) held.push(result.lockHeldMs)
    if (result.complete) handOffs++
  }
  assert(writer.isRunning && other.isRunning)
  const newest = Math.max(await writer.stop(), await other.stop())
  await drainAll(follower, copy)
  assert.equal(copy.check(folder.file('copy.db')), newest)
  const { size } = statSync(`${path}-wal`)
  assert(salts.size > 4 && size < taken / 2, `${size} bytes of log after ${taken} bytes in ${salts.size} logs`)
  t.diagnostic(`lock held ${held.map((ms) => ms.toFixed(1)).join(', ')} ms`)
})

test('the application may checkpoint in every mode beside a follower', async () => {
  for (const mode of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = await openApplication(path)
    await application.query('PRAGMA busy_timeout = 10000')
    await using follower = await sqlite(path).openFollower()
    const copy = await FollowedCopy.begin(follower)
    for (let round = 0; round < 3; round++) {
      await application.query(insertSome)
      await drainAll(follower, copy)
      // The follower waits for work, as it does all the time; the checkpoint waits for the follower's reader.
      const stop = new AbortController()
      const following = (async () => {
        while (!stop.signal.aborted) {
          await follower.wait(5)
          assert.equal((await follower.drain(copy)).lost, undefined)
        }
      })()
      const [row] = await application.query(`PRAGMA wal_checkpoint(${mode})`)
      stop.abort()
      await following
      assert.deepEqual(row?.['busy'], 0, `${mode}, round ${round}`)
      if (mode === 'TRUNCATE') assert.equal(statSync(`${path}-wal`).size, 0)
    }
    await application.query(insertSome)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
  }
})

test('while a reader of another process holds the log, a hand-off does what it can and comes back later', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await openApplication(path)
  await using reading = await SqlProcess.open(path)
  await reading.query('BEGIN', 'SELECT count(*) FROM t')
  await application.query(insertSome)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query(insertSome)
  const result = await follower.handOff(copy)
  assert.equal(result.complete, false)
  assert.equal(result.obstacle, 'reader')
  assert(result.framesLeft > 0 && result.commits === 1)
  await application.query(insertSome)
  await reading.query('COMMIT')
  assert.equal((await follower.handOff(copy)).complete, true)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('when the write lock is not to be had, a hand-off gives up in time and holds nobody up', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await openApplication(path)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query('PRAGMA cache_size = 5', 'BEGIN IMMEDIATE', insertSome, insertSome)
  await using reading = await SqlProcess.open(path)
  await reading.query('BEGIN', 'SELECT count(*) FROM t')
  const result = await follower.handOff(copy, { lockWaitMs: 5 })
  assert.equal(result.lost, undefined)
  assert.equal(result.obstacle, 'writers')
  assert.equal(result.commits, 0, 'what was spilled into the log is not committed')
  await application.query('COMMIT')
  await drainAll(follower, copy)
  assert.equal(copy.commits, 1)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a receiver that is slow does not prolong the time that the lock is held', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  await using writer = await WriterProcess.start({ path, seed: 1, maintenancePercent: 0, autoCheckpoint: 0 })
  await using follower = await sqlite(path).openFollower({ busyTimeoutMs: 20_000 })
  const copy = await FollowedCopy.begin(follower)
  copy.onCommit = () => sleep(1)
  const result = await follower.handOff(copy, { lockWaitMs: 50 })
  assert.equal(result.lost, undefined)
  assert(writer.isRunning)
  const newest = await writer.stop()
  copy.onCommit = undefined
  await drainAll(follower, copy)
  assert.equal(copy.check(folder.file('copy.db')), newest)
  await follower[Symbol.asyncDispose]()
  assert.equal(checkOracle(path), newest)
})
