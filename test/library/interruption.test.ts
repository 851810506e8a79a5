/** Whatever ends a backup midway: nothing of it is visible, no process is left, and the next one works. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { BackupError, BackupManager, type ErrorCode, LocalStorage, sqlite } from '../../src/index.ts'
import { isRunning, until } from '../engine/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { GateStorage } from './gate-storage.ts'
import { makeDatabase } from './make-database.ts'

describe('a backup that is interrupted midway', () => {
  const controllers = new Map<string, AbortController>()
  const ways: readonly { how: string; code: ErrorCode; interrupt: (storage: GateStorage) => void }[] = [
    {
      how: 'by its AbortSignal',
      code: 'ABORTED',
      interrupt: () => controllers.get('abort')?.abort(new Error('enough')),
    },
    {
      how: 'by kill -9 of its engine',
      code: 'ENGINE_DIED',
      interrupt: ({ engines }) => signalAll(engines, 'SIGKILL'),
    },
    {
      how: 'by SIGTERM to its engine',
      code: 'ABORTED',
      interrupt: ({ engines }) => signalAll(engines, 'SIGTERM'),
    },
  ]
  for (const { how, code, interrupt } of ways) {
    it(`${how} says so, leaves nothing visible, and lets the next one work`, async () => {
      using folder = temporaryFolder()
      makeDatabase(folder.file('app.db'), 500)
      const storage = new GateStorage()
      const controller = new AbortController()
      controllers.set('abort', controller)
      await using backups = await BackupManager.open({
        source: sqlite(folder.file('app.db')),
        repository: storage,
        init: true,
      })

      const backup = backups.createFullBackup({ signal: controller.signal })
      await storage.arrived(1, backup)
      const [engine = 0] = storage.engines
      assert.ok(isRunning(engine))
      interrupt(storage)

      await assert.rejects(backup, (error) => {
        assert.ok(error instanceof BackupError, String(error))
        assert.equal(error.code, code)
        assert.equal(error.partialBackup.database, 'app')
        assert.equal(error.partialBackup.type, 'full')
        assert.equal(error.partialBackup.phase, 'copy')
        return true
      })
      assert.ok(!isRunning(engine))
      assert.deepEqual(await backups.listBackups(), [])
      assert.deepEqual(await keysOf(storage, 'databases/app/segments/'), [])

      storage.openGate()
      const { metadata } = await backups.createFullBackup()
      assert.deepEqual(
        (await backups.listBackups()).map(({ id }) => id),
        [metadata.id],
      )
      assert.ok((await backups.verify()).ok)
    })
  }

  for (const end of ['exit', 'SIGKILL'] as const) {
    it(`by the end of its host (${end}) takes its engine with it, and lets the next one work`, async () => {
      using folder = temporaryFolder()
      makeDatabase(folder.file('app.db'), 500)
      const host = fork(
        new URL('./programs/stuck-host.ts', import.meta.url),
        [folder.file('app.db'), folder.file('backups')],
        { execArgv: [] },
      )
      const [engine] = await once(host, 'message')
      assert.ok(isRunning(engine))
      if (end === 'exit') host.send('exit')
      else host.kill(end)
      await once(host, 'exit')
      await until(() => !isRunning(engine))

      const storage = new LocalStorage(folder.file('backups'))
      await using backups = await BackupManager.open({ source: sqlite(folder.file('app.db')), repository: storage })
      assert.deepEqual(await backups.listBackups(), [])
      await backups.createFullBackup()
      assert.ok((await backups.verify({ level: 'restore' })).ok)
      assert.equal((await keysOf(storage, 'databases/app/segments/')).length, 1)
    })
  }

  it('while it waits for its turn never begins', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    const storage = new GateStorage()
    const options = { source: sqlite(folder.file('app.db')), repository: storage, init: true }
    await using backups = await BackupManager.open(options)
    const first = backups.createFullBackup()
    await storage.arrived(1, first)
    const controller = new AbortController()
    const second = backups.createFullBackup({ signal: controller.signal })
    controller.abort()
    await assert.rejects(second, (error) => error instanceof BackupError && error.code === 'ABORTED')
    storage.openGate()
    await first
    assert.equal((await backups.listBackups()).length, 1)
    assert.deepEqual(storage.begun, ['app'])
  })
})

async function keysOf(storage: { list: LocalStorage['list'] }, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}

function signalAll(pids: Iterable<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, signal)
}
