/** Where the system gives no notification of changed files, or no more of them: polling alone must do. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { WatchFile } from '../../../src/source/sqlite/follow/log-watch.ts'
import { openSqliteFollower } from '../../../src/source/sqlite/follow/open-follower.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { drainAll, FollowedCopy } from './followed-copy.ts'

const systemError = (code: string) => Object.assign(new Error(`${code}: watch`), { code })

class Watcher extends EventEmitter {
  isClosed = false

  close(): void {
    this.isClosed = true
  }
}

/** Watchers that were made, and how each kind of file system lets them down. */
const kinds: readonly { readonly name: string; watch(made: Watcher[]): WatchFile }[] = [
  ...['ENOSPC', 'EMFILE', 'ENOSYS'].map((code) => ({
    name: `refuses to watch (${code})`,
    watch: () => () => {
      throw systemError(code)
    },
  })),
  {
    name: 'stops watching after a while',
    watch: (made) => () => {
      const watcher = new Watcher()
      made.push(watcher)
      setImmediate(() => watcher.emit('error', systemError('EMFILE')))
      return watcher
    },
  },
  {
    name: 'never says anything, as network file systems do',
    watch: (made) => () => {
      const watcher = new Watcher()
      made.push(watcher)
      return watcher
    },
  },
]

for (const { name, watch } of kinds) {
  test(`every commit is noticed and taken where the system ${name}`, { timeout: 60_000 }, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = await SqlProcess.open(path)
    await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)')
    const made: Watcher[] = []
    await using follower = await openSqliteFollower(path, {}, { clock: Date.now, watchFile: watch(made) })
    const copy = await FollowedCopy.begin(follower)
    await drainAll(follower, copy)
    const before = copy.commits
    for (let n = 1; n <= 3; n += 1) {
      // Long enough to hang the test if nothing but its end woke it.
      const waiting = follower.wait(3_600_000)
      await application.query(`INSERT INTO t VALUES (${n})`)
      await waiting
      await drainAll(follower, copy)
      assert.equal(copy.commits, before + n)
    }
    assert.equal((await follower.audit(copy)).equal, true)
    assert.ok(made.every(({ isClosed }) => isClosed))
  })
}
