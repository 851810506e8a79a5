import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { formatState } from '../../../src/history/state-checksum.ts'
import { openSqliteFollower } from '../../../src/source/sqlite/follow/open-follower.ts'
import { frameOffset } from '../../../src/source/sqlite/log/page-map.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { drainAll, FollowedCopy, type Kept, keep } from './followed-copy.ts'
import { changeAll, changeOne, copyAll, followedOnce, rollBack, toggle } from './followed-once.ts'

const provable: readonly { readonly name: string; readonly meanwhile: readonly string[]; readonly commits: number }[] =
  [
    { name: 'and written to', meanwhile: [copyAll, changeOne, changeOne], commits: 2 },
    { name: 'by a transaction that was rolled back', meanwhile: [copyAll, ...rollBack], commits: 0 },
    {
      name: 'after more commits, whose frames are still there',
      meanwhile: [changeOne, changeAll, copyAll, changeOne],
      commits: 3,
    },
    {
      name: 'after commits that came to nothing, whose frames are still there',
      meanwhile: [...toggle, copyAll, changeOne],
      commits: 3,
    },
    {
      name: 'after one that made the database larger and one that made it smaller',
      meanwhile: [
        'CREATE TABLE u AS SELECT * FROM t',
        'PRAGMA incremental_vacuum',
        'DROP TABLE u',
        'VACUUM',
        copyAll,
        changeOne,
      ],
      commits: 4,
    },
    {
      name: 'after a large transaction that was rolled back',
      meanwhile: ['PRAGMA cache_size = 2', 'BEGIN', changeAll, 'ROLLBACK', copyAll, changeOne],
      commits: 1,
    },
  ]

for (const { name, meanwhile, commits } of provable) {
  test(`a log that was reset once, ${name}, while nobody followed: nothing is missing`, async () => {
    await using scene = await followedOnce()
    const { path, application, copy, kept } = scene
    await application.query(...meanwhile)
    const before = copy.commits
    await using follower = await sqlite(path).openFollower({ resume: kept })
    assert.deepEqual(follower.start, { kind: 'resumed' })
    assert.equal(follower.position.state, kept.position.state)
    await drainAll(follower, copy)
    assert.equal(copy.commits - before, commits)
    await application.query(changeOne, copyAll, changeAll)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
    assert.equal(follower.position.pageCount, copy.pageCount)
  })
}

const unprovable: readonly { readonly name: string; readonly meanwhile: readonly string[] }[] = [
  { name: 'was reset twice', meanwhile: [copyAll, changeOne, copyAll, changeOne] },
  { name: 'was cut off', meanwhile: ['PRAGMA wal_checkpoint(TRUNCATE)', changeOne] },
  { name: 'was overwritten beyond our place', meanwhile: [...toggle, copyAll, changeAll, changeAll] },
  { name: 'has been copied into the file', meanwhile: [copyAll, changeOne, copyAll] },
  { name: 'was cut to a limit', meanwhile: ['PRAGMA journal_size_limit = 100', ...toggle, copyAll, changeOne] },
]

for (const { name, meanwhile } of unprovable) {
  test(`a log that ${name} while nobody followed: that nothing is missing cannot be proved`, async () => {
    await using scene = await followedOnce()
    await scene.application.query(...meanwhile)
    await using follower = await sqlite(scene.path).openFollower({ resume: scene.kept })
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
    const copy = await FollowedCopy.begin(follower)
    await scene.application.query(changeAll)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
  })
}

test('a log that was reset once, and a file that is not what we left: commits may be missing', async () => {
  await using scene = await followedOnce()
  const { path, application, kept } = scene
  await application.query(copyAll, changeOne)
  const hashes = kept.hashes.slice()
  hashes[4] = 1n
  const state = formatState(hashes.reduce((sum, hash) => BigInt.asUintN(64, sum + hash), 0n))
  const resume = { position: { ...kept.position, state }, hashes }
  await using follower = await sqlite(path).openFollower({ resume })
  assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
})

test('a reset with no commit since does not use up the proof: a second absence finds it again', async () => {
  await using scene = await followedOnce()
  const { path, application, copy, kept } = scene
  await application.query(copyAll, ...rollBack)
  let again: Kept
  {
    await using follower = await sqlite(path).openFollower({ resume: kept })
    await drainAll(follower, copy)
    again = keep(follower, copy)
    assert.deepEqual(again.position, kept.position)
  }
  await application.query(changeOne)
  await using follower = await sqlite(path).openFollower({ resume: again })
  assert.equal(follower.start.kind, 'resumed')
  await drainAll(follower, copy)
  assert.equal((await follower.audit(copy)).equal, true)
})

test('a log that is reset between the return of a follower and its first drain, with commits that it has not taken', async () => {
  await using scene = await followedOnce()
  const { path, application, copy, kept } = scene
  await application.query(changeOne, changeAll, copyAll)
  const before = copy.commits
  await using follower = await sqlite(path).openFollower({ resume: kept })
  assert.equal(follower.start.kind, 'resumed')
  // Everything has been copied, so our reader stands on mark 0, which lets the log be reset.
  await application.query(changeOne, changeOne)
  await drainAll(follower, copy)
  assert.equal(copy.commits - before, 4)
  await application.query(copyAll, changeOne)
  await drainAll(follower, copy)
  assert.equal((await follower.audit(copy)).equal, true)
})

for (const { name, before, meanwhile, commits } of [
  { name: 'by a commit', before: [], meanwhile: [changeOne], commits: 1 },
  {
    name: 'with commits in it that were not taken',
    before: [changeOne, ...toggle],
    meanwhile: [changeOne],
    commits: 4,
  },
  { name: 'by a transaction that was rolled back', before: [changeOne], meanwhile: rollBack, commits: 1 },
]) {
  test(`a log that is reset ${name}, just while a follower looks for its place in it: nothing is missing`, async () => {
    await using scene = await followedOnce()
    const { path, application, copy, kept } = scene
    await application.query(...before, copyAll)
    const resetLog = onceBegun(path, meanwhile)
    await using follower = await openSqliteFollower(path, { resume: kept }, resetLog)
    assert.deepEqual(follower.start, { kind: 'resumed' })
    const taken = copy.commits
    await drainAll(follower, copy)
    assert.equal(copy.commits - taken, commits)
    await application.query(changeOne, copyAll, changeAll)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
  })
}

for (const { name, meanwhile } of [
  { name: 'and grows beyond its place', meanwhile: [changeAll, changeAll] },
  { name: 'again and again', meanwhile: Array<string>(4).fill('PRAGMA wal_checkpoint(TRUNCATE)') },
]) {
  test(`a log that is reset ${name}, just while a follower looks for its place in it: that is told as a reset`, async () => {
    await using scene = await followedOnce()
    const { path, application, kept } = scene
    await application.query(changeOne, copyAll)
    await using follower = await openSqliteFollower(path, { resume: kept }, onceBegun(path, meanwhile))
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
    const copy = await FollowedCopy.begin(follower)
    await application.query(changeAll)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
  })
}

test('if such a log is overwritten before it was taken, that is a loss', async () => {
  await using scene = await followedOnce()
  const { path, application, copy, kept } = scene
  await application.query(changeOne, copyAll)
  await using follower = await sqlite(path).openFollower({ resume: kept })
  await application.query(changeAll, changeAll)
  assert.equal((await follower.drain(copy)).lost, 'log-reset')
})

for (const { name, endsAt } of [
  { name: 'within the header of the next frame', endsAt: 10 },
  { name: 'between header and page', endsAt: 24 },
  { name: 'within its page', endsAt: 100 },
  { name: 'within a transaction', endsAt: 24 + 4096 + 50 },
]) {
  test(`a log that was cut to a limit, ${name}, with commits that came to nothing beyond: they are missing`, async () => {
    await using scene = await followedOnce()
    const { path, application, kept } = scene
    const limit = frameOffset(kept.position.frame + 1, kept.position.pageSize) + endsAt
    await application.query(`PRAGMA journal_size_limit = ${limit}`, ...toggle, copyAll, changeOne)
    assert.equal(statSync(`${path}-wal`).size, limit)
    await using follower = await sqlite(path).openFollower({ resume: kept })
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
  })
}

/** Another process writes at the very moment in which the reader has begun and nothing of the log has been read yet. */
function onceBegun(path: string, statements: readonly string[]): { readonly clock: () => number } {
  const program = `
    const { DatabaseSync } = require('node:sqlite')
    const database = new DatabaseSync(process.argv[1])
    database.exec('PRAGMA wal_autocheckpoint = 0')
    for (const statement of JSON.parse(process.argv[2])) database.exec(statement)`
  let isBegun = false
  const clock = () => {
    if (!isBegun) execFileSync(process.execPath, ['-e', program, path, JSON.stringify(statements)])
    isBegun = true
    return Date.now()
  }
  return { clock }
}
