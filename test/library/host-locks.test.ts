/**
 * POSIX locks belong to a process: whoever in it closes any descriptor of a file drops all of the process's locks on it. An
 * application that backs up its own database with the library must keep every lock that its own SQLite holds.
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type HostReport, type HostRequest, type LockMode, lockModes } from './programs/lock-protocol.ts'

const skip = process.platform === 'linux' ? false : 'It reads /proc/locks.'

class LockHost implements AsyncDisposable {
  readonly #child
  readonly #path: string

  constructor(path: string, repository: string, mode: LockMode) {
    this.#path = path
    this.#child = fork(new URL('./programs/lock-host.ts', import.meta.url), [path, repository, mode], {
      execArgv: [],
    })
  }

  async ask(request?: HostRequest): Promise<HostReport> {
    const answer = Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(([code]) => Promise.reject(new Error(`The host ended with ${code}.`))),
    ])
    if (request !== undefined) this.#child.send(request)
    const [report] = await answer
    return report
  }

  /** Whether this process, which is another one, can get past the lock of the host's transaction. */
  passesLock(mode: LockMode): boolean {
    using database = new DatabaseSync(this.#path, { timeout: 0 })
    if (mode === 'wal-reader') {
      database.exec('INSERT INTO t VALUES (4)')
      const outcome = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
      return outcome?.['busy'] === 0
    }
    try {
      database.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (4); COMMIT')
      return true
    } catch (error) {
      assert.match(String(error), /locked/)
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return
    this.#child.send('end')
    await once(this.#child, 'exit')
  }
}

describe('the locks of an application that backs up its own database', { skip }, () => {
  for (const [name, mode] of Object.entries(lockModes)) {
    it(`survive: ${name}`, async () => {
      using folder = temporaryFolder()
      await using host = new LockHost(folder.file('app.db'), folder.file('backups'), mode)
      const before = await host.ask()
      assert.notEqual(before.locks.length, 0, 'the host holds a lock')
      assert.ok(!host.passesLock(mode), 'the lock keeps others out')

      assert.deepEqual(await host.ask('backUp'), { locks: before.locks, backups: [1, 2, 3] })
      assert.ok(!host.passesLock(mode), 'the lock still keeps others out')
    })

    it(`survive being followed: ${name}`, async () => {
      using folder = temporaryFolder()
      await using host = new LockHost(folder.file('app.db'), folder.file('backups'), mode)
      const before = await host.ask()
      assert.deepEqual(await host.ask('follow'), { locks: before.locks, backups: [1, 1] })
      assert.ok(!host.passesLock(mode), 'the lock still keeps others out')
    })

    it(`would not survive a library that opens the file itself: ${name}`, async () => {
      using folder = temporaryFolder()
      await using host = new LockHost(folder.file('app.db'), folder.file('backups'), mode)
      const before = await host.ask()
      const after = await host.ask('openAndClose')
      assert.notDeepEqual(after.locks, before.locks)
      assert.ok(host.passesLock(mode), 'another process gets past')
    })
  }
})
