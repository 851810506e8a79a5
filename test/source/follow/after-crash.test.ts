import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { frameOffset } from '../../../src/source/sqlite/log/page-map.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { drainAll, FollowedCopy, type Kept } from './followed-copy.ts'
import { changeAll, changeOne, copyAll, followedOnce, type Scene, toggle } from './followed-once.ts'

/**
 * The log is reset while nobody follows, and then everybody who had the database open dies. Whoever opens it next makes the index
 * of the log anew, which no longer tells whether anything of the log was copied into the file.
 */
async function afterCrash(meanwhile: readonly string[]): Promise<Scene> {
  const scene = await followedOnce()
  await scene.application.query(...meanwhile)
  await scene.application.kill()
  return scene
}

const provable: readonly { readonly name: string; readonly meanwhile: readonly string[]; readonly commits: number }[] =
  [
    { name: 'a log that was reset once', meanwhile: [copyAll, changeOne, changeOne], commits: 2 },
    { name: 'one in which frames of the former log are left', meanwhile: [changeAll, copyAll, changeOne], commits: 2 },
    {
      name: 'one in which a transaction had not ended',
      meanwhile: [
        copyAll,
        changeOne,
        'PRAGMA cache_size = 2',
        'BEGIN',
        'UPDATE t SET x = hex(randomblob(250)) WHERE id < 50',
      ],
      commits: 1,
    },
  ]

for (const { name, meanwhile, commits } of provable) {
  test(`after a crash of the application, ${name}: the file shows that nothing of it was copied, so nothing is missing`, async () => {
    await using scene = await afterCrash(meanwhile)
    const { path, copy, kept } = scene
    const before = copy.commits
    await using follower = await sqlite(path).openFollower({ resume: kept })
    assert.deepEqual(follower.start, { kind: 'resumed' })
    await drainAll(follower, copy)
    assert.equal(copy.commits - before, commits)
    await using application = await SqlProcess.open(path)
    await application.query(changeOne, copyAll, changeAll)
    await drainAll(follower, copy)
    assert.equal((await follower.audit(copy)).equal, true)
  })
}

const unprovable: readonly { readonly name: string; readonly meanwhile: readonly string[] }[] = [
  { name: 'was copied into the file', meanwhile: [copyAll, changeOne, copyAll] },
  { name: 'was reset twice', meanwhile: [copyAll, changeOne, copyAll, changeOne] },
  { name: 'sets a page to what it was before', meanwhile: [copyAll, ...toggle] },
]

for (const { name, meanwhile } of unprovable) {
  test(`after a crash of the application, a log that ${name}: that nothing is missing cannot be proved`, async () => {
    await using scene = await afterCrash(meanwhile)
    await using follower = await sqlite(scene.path).openFollower({ resume: scene.kept })
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
  })
}

/**
 * The former log ended with commits that are gone, which the present log undid, and was copied: then the file is what we left, and
 * every frame that we know of is in its place.
 */
async function undone(scene: Scene): Promise<Kept> {
  await using follower = await sqlite(scene.path).openFollower()
  const { hashes } = await FollowedCopy.begin(follower)
  const { state } = follower.position
  return { hashes, position: { ...scene.kept.position, state } }
}

for (const crashes of [false, true]) {
  test(`lost commits that the present log undid, and was copied${crashes ? ' before a crash' : ''}: a gap`, async () => {
    await using scene = await followedOnce()
    await scene.application.query(copyAll, changeOne, copyAll)
    const resume = await undone(scene)
    if (crashes) await scene.application.kill()
    await using follower = await sqlite(scene.path).openFollower({ resume })
    assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
  })
}

test('lost commits that the present log undid, and was copied, and then covered by more of it: a gap', async () => {
  await using scene = await followedOnce()
  const { application, path } = scene
  await application.query(copyAll, changeOne)
  // Whoever reads a state within the log keeps it from being reset, though all of it is copied.
  await using reader = await SqlProcess.open(path)
  await reader.query('BEGIN', 'SELECT count(*) FROM t')
  await application.query(copyAll)
  const resume = await undone(scene)
  await application.query(changeOne)
  await application.kill()
  await reader.kill()
  await using follower = await sqlite(path).openFollower({ resume })
  assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
})

test('lost commits that the present log undid, and was copied; and that log is damaged: a gap', async () => {
  await using scene = await followedOnce()
  const { application, path } = scene
  await application.query(copyAll, changeOne, copyAll)
  const resume = await undone(scene)
  const log = openSync(`${path}-wal`, 'r+')
  writeSync(log, 'damage', frameOffset(1, resume.position.pageSize) + 100)
  closeSync(log)
  await using follower = await sqlite(path).openFollower({ resume })
  assert.equal(follower.start.kind === 'anew' && follower.start.reason, 'log-reset')
})
