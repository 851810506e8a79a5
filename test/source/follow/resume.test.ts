import assert from 'node:assert/strict'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseFollower } from '../../../src/source/follower.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { checkOracle, createOracleDatabase } from '../../support/oracle.ts'
import { seededRandom, testSeed } from '../../support/random.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { drainAll, FollowedCopy, type Kept, keep } from './followed-copy.ts'

const prepare = [
  'PRAGMA journal_mode = wal',
  'PRAGMA wal_autocheckpoint = 0',
  'CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)',
]
const insertSome = `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100)
  INSERT INTO t (x) SELECT randomblob(500) FROM c`
const changeAll = 'UPDATE t SET x = randomblob(400)'

/** An application, and a follower that took all that it has committed so far, and then ended. */
async function followedOnce(path: string): Promise<{ application: SqlProcess; copy: FollowedCopy; kept: Kept }> {
  const application = await SqlProcess.open(path)
  await application.query(...prepare, insertSome)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query(changeAll, insertSome)
  await drainAll(follower, copy)
  return { application, copy, kept: keep(follower, copy) }
}

/** That the copy is the database: as SQLite sees it, audited page by page. */
async function assertSame(follower: DatabaseFollower, copy: FollowedCopy): Promise<void> {
  await drainAll(follower, copy)
  assert.equal((await follower.audit(copy)).equal, true)
  assert.equal(follower.position.pageCount, copy.pageCount)
}

test('a follower goes on where it stopped, and misses nothing of what was committed meanwhile', async () => {
  using folder = temporaryFolder()
  const { application, copy, kept } = await followedOnce(folder.file('app.db'))
  await using _ = application
  await application.query(changeAll)
  await application.query(insertSome)
  await using follower = await sqlite(folder.file('app.db')).openFollower({ resume: kept })
  assert.deepEqual(follower.start, { kind: 'resumed' })
  assert.deepEqual(follower.position, kept.position)
  const result = await follower.drain(copy)
  assert.equal(result.commits, 2)
  assert.equal(copy.withoutFormer, 0)
  await assertSame(follower, copy)
})

test('an application that ended leaves its log to the follower, which leaves it to the next one', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  const application = await SqlProcess.open(path)
  await application.query(...prepare, insertSome)
  const follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  const kept = keep(follower, copy)
  await application.query(changeAll)
  await application.close()
  assert((await follower.handOff({ pages() {}, commit() {} }, { lockWaitMs: 0 })).commits > 0)
  await follower[Symbol.asyncDispose]()
  assert(existsSync(`${path}-wal`), 'the last to close was a reader, which deletes nothing')
  await using next = await sqlite(path).openFollower({ resume: kept })
  assert.equal(next.start.kind, 'resumed', 'also what the former follower did not keep is still there')
  await drainAll(next, copy)
  assert.equal(copy.commits, 1)
  await assertSame(next, copy)
})

test('a log that was copied beyond our place, but not reset, is gone on with', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query(...prepare, insertSome, insertSome, insertSome, 'PRAGMA wal_checkpoint(TRUNCATE)')
  let kept: Kept
  let copy: FollowedCopy
  {
    await using follower = await sqlite(path).openFollower()
    copy = await FollowedCopy.begin(follower)
    await application.query('UPDATE t SET x = randomblob(400) WHERE id < 20')
    await drainAll(follower, copy)
    kept = keep(follower, copy)
  }
  await application.query('UPDATE t SET x = randomblob(400) WHERE id > 250')
  await application.query('PRAGMA wal_checkpoint(PASSIVE)')
  await using follower = await sqlite(path).openFollower({ resume: kept })
  assert.equal(follower.start.kind, 'resumed')
  await drainAll(follower, copy)
  assert(copy.withoutFormer > 0, 'the file already held the later versions')
  await assertSame(follower, copy)
  const lost = copy.withoutFormer
  await application.query(changeAll)
  await drainAll(follower, copy)
  assert.equal(copy.withoutFormer, lost, 'from then on every former page is to be had again')
  await assertSame(follower, copy)
})

const losses: readonly {
  readonly name: string
  readonly reason: string
  meanwhile(path: string, application: SqlProcess): Promise<unknown>
  change?(kept: Kept): Kept
}[] = [
  {
    name: 'the log was reset',
    reason: 'log-reset',
    meanwhile: (_, application) => application.query('PRAGMA wal_checkpoint(TRUNCATE)', insertSome),
  },
  {
    name: 'the application ended, and started again',
    reason: 'log-reset',
    async meanwhile(path, application) {
      await application.close()
      await using next = await SqlProcess.open(path)
      await next.query(insertSome)
      await next.close()
    },
  },
  {
    name: 'the file is another',
    reason: 'file-replaced',
    async meanwhile(path, application) {
      await application.query(`VACUUM INTO '${path}-2'`)
      await application.close()
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
      renameSync(`${path}-2`, path)
      await using next = await SqlProcess.open(path)
      await next.query('PRAGMA journal_mode = wal')
    },
  },
  {
    name: 'the page size is another',
    reason: 'page-size-changed',
    async meanwhile(_, application) {
      await application.query('PRAGMA journal_mode = delete', 'PRAGMA page_size = 1024', 'VACUUM')
      await application.query('PRAGMA journal_mode = wal')
    },
  },
  {
    name: 'the log does not reach our place',
    reason: 'frames-vanished',
    meanwhile: async () => {},
    change: ({ position, hashes }) => ({ position: { ...position, frame: position.frame + 1000 }, hashes }),
  },
  {
    name: 'our last frame is not the one that we saw',
    reason: 'frames-vanished',
    meanwhile: async () => {},
    change: ({ position, hashes }) => ({ position: { ...position, checksum: [1, 2] }, hashes }),
  },
  {
    name: 'the hashes that were kept are of another state',
    reason: 'audit-failed',
    meanwhile: async () => {},
    change: ({ position, hashes }) => ({ position, hashes: hashes.map((hash, index) => (index === 3 ? 1n : hash)) }),
  },
]

for (const { name, reason, meanwhile, change } of losses) {
  test(`when ${name}, a follower says so and begins with the present state`, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    const { application, kept } = await followedOnce(path)
    await using _ = application
    await meanwhile(path, application)
    await using follower = await sqlite(path).openFollower({ resume: change?.(kept) ?? kept })
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, reason)
    const copy = await FollowedCopy.begin(follower)
    await using next = await SqlProcess.open(path)
    await next.query(insertSome)
    await assertSame(follower, copy)
  })
}

test('writers and followers are killed and come back at random; no commit is wrong, and none is missing unsaid', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  const copy = new FollowedCopy(4096)
  let kept: Kept | undefined
  const starts = { resumed: 0, anew: 0 }
  for (let round = 0; round < 12; round++) {
    await using writer = await WriterProcess.start({ path, seed: seed + round, autoCheckpoint: random.pick([0, 1000]) })
    await using follower = await sqlite(path).openFollower({ resume: kept, busyTimeoutMs: 20_000 })
    starts[follower.start.kind]++
    if (follower.start.kind === 'anew') {
      assert.equal(follower.start.reason, kept && 'log-reset')
      await copy.beginAnew(follower)
    }
    for (let drains = random.below(6); drains >= 0; drains--) {
      assert.equal((await follower.drain(copy)).lost, undefined)
      if (random.chance(20)) assert.equal((await follower.handOff(copy)).lost, undefined)
      await sleep(random.below(30))
    }
    kept = keep(follower, copy)
    copy.check(folder.file('copy.db'))
    if (random.chance(50)) await writer.kill()
    await follower[Symbol.asyncDispose]()
    if (random.chance(30)) await sleep(random.below(100))
  }
  t.diagnostic(JSON.stringify(starts))
  await using follower = await sqlite(path).openFollower({ resume: kept })
  if (follower.start.kind === 'anew') await copy.beginAnew(follower)
  await assertSame(follower, copy)
  const seq = copy.check(folder.file('copy.db'))
  await follower[Symbol.asyncDispose]()
  assert.equal(checkOracle(path), seq)
})
