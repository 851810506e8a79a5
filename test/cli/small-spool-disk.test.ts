/** `holdfast follow` whose state folder lies on a disk that is too small, or full. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { cliOk, scratchFolder, startCli } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { historyOf } from './support/journal.ts'
import { cliJson } from './support/json-lines.ts'

const skip = whyNoSmallDisk()
const rewriteAll = 'UPDATE orders SET note = randomblob(20000)'
const addUser = "INSERT INTO users (name) VALUES ('new')"

/** A database of some four megabytes, and a disk of one for the state folder. */
async function place(context: TestContext) {
  const disk = new SmallDisk(1)
  context.after(() => disk[Symbol.dispose]())
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { bytes: 20_000 })
  await cliOk(['init'], { cwd })
  const args = ['app.db', '--state', disk.file('state'), '--sync-interval', '100ms']
  return { cwd, disk, path, args, follow: () => new FollowerProgram(context, cwd, args) }
}

async function gapsOf(cwd: string) {
  const { last } = await cliJson('points', ['app'], { cwd })
  return last.gaps.map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason])
}

describe('holdfast follow with a disk for its state that is smaller than what changes', { skip }, () => {
  it('stores the newest state in the repository all the same, and then keeps every commit again', async (context) => {
    const { cwd, path, follow } = await place(context)
    const follower = follow()
    await follower.event('started')
    change(path, rewriteAll)
    assert.equal((await follower.event('spool-full')).action, 'gave-up')
    const gap = await follower.event('gap', ({ fromLsn }) => fromLsn > 0)
    assert.equal(gap.reason, gapReasons['spool-full'])
    change(path, addUser)
    await follower.event('uploaded', ({ lsn }) => lsn === gap.toLsn + 1)
    const { code, result } = await follower.interrupt('SIGTERM')
    assert.deepEqual([code, result.databases[0]?.left], [3, { segments: 0, bytes: 0, gaveUpAfter: null }])
    assert.equal(follower.lines.filter(({ event }) => event === 'retrying').length, 0)
    await cliOk(['restore', 'app', '--lsn', `${gap.toLsn + 1}`, '--to', 'out.db'], { cwd })
    assert.equal(count(join(cwd, 'out.db'), 'users'), 201)
    await cliOk(['verify', 'app', '--level', 'data'], { cwd })
  })

  it('starts also when the database was rewritten meanwhile', async (context) => {
    const { cwd, path, follow } = await place(context)
    const first = follow()
    await first.event('started')
    await first.interrupt()
    change(path, `${rewriteAll}; PRAGMA wal_checkpoint(TRUNCATE)`)
    change(path, addUser)
    const second = follow()
    assert.equal((await second.event('started')).how, 'healed')
    change(path, addUser)
    await second.event('uploaded', ({ lsn }) => lsn === 3)
    await second.interrupt()
    assert.deepEqual(await gapsOf(cwd), [[1, 2, gapReasons['log-reset']]])
    await cliOk(['restore', 'app', '--latest', '--to', 'out.db'], { cwd })
    assert.equal(count(join(cwd, 'out.db'), 'users'), 202)
  })
})

describe('holdfast follow with a full disk for its state', { skip }, () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`says what it could not keep, and after ${signal} the next start knows why it is missing`, async (context) => {
      const { cwd, path, disk, args, follow } = await place(context)
      const { child, ended } = startCli(['follow', ...args, '--hand-off', '4KiB', '--hand-off-age', '100ms'], { cwd })
      const told = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      let text = ''
      child.stderr?.on('data', (chunk) => {
        text += chunk
        if (text.includes('every commit can be restored')) begun.resolve()
        if (text.includes('Commits are not kept until the spool can be used again')) told.resolve()
      })
      await begun.promise
      disk.fill(0)
      change(path, addUser)
      await told.promise
      // What is let go by can be in the log no more at the next start.
      change(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
      change(path, addUser)
      child.kill(signal)
      const { code, stdout, stderr } = await ended
      if (signal === 'SIGTERM') {
        assert.equal(code, 3)
        assert.match(stdout, /^app: .*; everything up to LSN 1 is in the repository; NOTHING AFTER LSN 1 WAS KEPT\.\n$/)
        assert.match(
          stderr,
          /app: Nothing after LSN 1 was kept, since the spool could not take it: the next "holdfast follow"/,
        )
        const [recorded] = await historyOf({ cwd }, '--kind', 'follow')
        assert.match(recorded?.message ?? '', /Nothing after LSN 1 was kept/)
      }
      disk.free()
      const next = follow()
      assert.equal((await next.event('started')).how, 'healed')
      await next.interrupt()
      assert.deepEqual(await gapsOf(cwd), [[1, 2, gapReasons['spool-full']]])
    })
})
