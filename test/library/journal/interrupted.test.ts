/** However work ends, and whoever is killed in the middle of it, the history says so. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Journal } from '../../../src/agent/journal/journal.ts'
import {
  auditLog,
  BackupManager,
  hasCode,
  operationHistory,
  type RecordedOperation,
  sqlite,
} from '../../../src/index.ts'
import { actor } from '../../agent/journal/support/journals.ts'
import { isRunning, until } from '../../engine/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { GateStorage } from '../gate-storage.ts'
import { addRow, makeDatabase } from '../make-database.ts'

function summary({ kind, outcome, code }: RecordedOperation): string {
  return [kind, outcome, code ?? '-'].join(' ')
}

/** Children of this process, by their process ids: engines, and what writes the journal. */
async function childrenNow(): Promise<Set<number>> {
  const { readdirSync, readFileSync } = await import('node:fs')
  const tasks = readdirSync(`/proc/${process.pid}/task`)
  const text = tasks.map((task) => readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8')).join(' ')
  return new Set(
    text
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(Number),
  )
}

describe('a backup that is interrupted midway is recorded', () => {
  const ways: readonly { how: string; expected: string; interrupt: (pid: number, abort: () => void) => void }[] = [
    {
      how: 'as interrupted, by its AbortSignal',
      expected: 'backup interrupted ABORTED',
      interrupt: (_, abort) => abort(),
    },
    {
      how: 'as failed, by kill -9 of its engine',
      expected: 'backup failed ENGINE_DIED',
      interrupt: (pid) => process.kill(pid, 'SIGKILL'),
    },
    {
      how: 'as interrupted, by SIGTERM to its engine',
      expected: 'backup interrupted ABORTED',
      interrupt: (pid) => process.kill(pid, 'SIGTERM'),
    },
  ]
  for (const { how, expected, interrupt } of ways) {
    it(how, async () => {
      using folder = temporaryFolder()
      makeDatabase(folder.file('app.db'), 500)
      const storage = new GateStorage()
      const controller = new AbortController()
      const journal = folder.file('journal.db')
      const options = { source: sqlite(folder.file('app.db')), repository: storage, init: true, journal }
      await using backups = await BackupManager.open(options)
      const backup = backups.createFullBackup({ signal: controller.signal })
      await storage.arrived(1, backup)
      assert.deepEqual((await backups.history({ rebuild: false })).map(summary), [
        'init succeeded -',
        'backup running -',
      ])
      const [engine = 0] = storage.engines
      interrupt(engine, () => controller.abort())
      await assert.rejects(backup)
      assert.deepEqual((await backups.history({ rebuild: false })).map(summary), ['init succeeded -', expected])
    })
  }

  for (const end of ['exit', 'SIGKILL'] as const) {
    it(`as interrupted, by the end of its application (${end})`, async () => {
      using folder = temporaryFolder()
      makeDatabase(folder.file('app.db'), 500)
      const journal = folder.file('journal.db')
      const host = fork(
        new URL('../programs/stuck-host.ts', import.meta.url),
        [folder.file('app.db'), folder.file('backups'), journal],
        { execArgv: [] },
      )
      await once(host, 'message')
      assert.deepEqual((await operationHistory({ journal })).map(summary), ['init succeeded -', 'backup running -'])
      if (end === 'exit') host.send('exit')
      else host.kill(end)
      await once(host, 'exit')
      const [, backup] = await operationHistory({ journal })
      assert.deepEqual([backup?.outcome, backup?.trigger], ['interrupted', 'library'])
      assert.match(backup?.message ?? '', /process ended/)
      // There is no end of it in the audit log, because nobody could write it.
      const { entries, finding } = await auditLog({ journal })
      assert.deepEqual([entries.map(({ event }) => event), finding], [['begin', 'end', 'begin'], undefined])
    })
  }

  it('with its real end, if only what writes the journal is killed', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 50)
    const storage = new GateStorage()
    const journal = folder.file('journal.db')
    const before = await childrenNow()
    const options = { source: sqlite(folder.file('app.db')), repository: storage, init: true, journal }
    await using backups = await BackupManager.open(options)
    const backup = backups.createFullBackup()
    await storage.arrived(1, backup)
    const [writer, ...others] = [...(await childrenNow())].filter(
      (pid) => !before.has(pid) && !storage.engines.has(pid),
    )
    assert.ok(writer !== undefined)
    assert.deepEqual(others, [], 'one process writes the journal')
    process.kill(writer, 'SIGKILL')
    storage.openGate()
    await backup
    await until(() => !isRunning(writer))
    const done = await backups.history({ rebuild: false })
    assert.deepEqual(done.map(summary), ['init succeeded -', 'backup succeeded -'])
    const { entries, finding } = await auditLog({ journal })
    assert.deepEqual([entries.length, finding], [4, undefined])
  })
})

describe('following is recorded', () => {
  it('as failed if its process is killed, and anew when it goes on', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    const journal = folder.file('journal.db')
    const repository = folder.file('backups')
    await using backups = await BackupManager.open({
      source: sqlite(folder.file('app.db')),
      repository,
      init: true,
      journal,
    })
    const place = { stateFolder: folder.file('state') }
    const first = await backups.follow(place)
    const failed = once(first, 'error')
    addRow(folder.file('app.db'))
    await first.sync()
    assert.deepEqual((await backups.history({ rebuild: false })).map(summary), ['init succeeded -', 'follow running -'])
    process.kill(first.pid ?? 0, 'SIGKILL')
    await failed
    const second = await backups.follow(place)
    addRow(folder.file('app.db'))
    await second.sync()
    // Closing the manager stops it, and waits until that is written down.
    await backups.close()
    const done = await operationHistory({ journal })
    assert.deepEqual(done.map(summary), ['init succeeded -', 'follow failed ENGINE_DIED', 'follow succeeded -'])
    assert.deepEqual(
      done.slice(1).map(({ type, figures }) => [type, figures?.['commits'], figures?.['uploadedLsn']]),
      [
        [undefined, 1, 2],
        ['commits', 1, 3],
      ],
    )
  })

  it('as failed if it cannot begin', async () => {
    using folder = temporaryFolder()
    const journal = folder.file('journal.db')
    const options = { source: sqlite(folder.file('none.db')), repository: folder.file('backups'), init: true, journal }
    await using backups = await BackupManager.open(options)
    await assert.rejects(backups.follow({ stateFolder: folder.file('state') }), (error) =>
      hasCode(error, 'DATABASE_NOT_FOUND'),
    )
    assert.deepEqual((await backups.history({ kind: 'follow' })).map(summary), ['follow failed DATABASE_NOT_FOUND'])
  })
})

describe('several at once', () => {
  it('in one application have one journal and one process for it', async () => {
    using folder = temporaryFolder()
    const journal = folder.file('journal.db')
    const before = await childrenNow()
    const storages = [new GateStorage(), new GateStorage(), new GateStorage()]
    const managers = await Promise.all(
      storages.map((repository, i) => {
        makeDatabase(folder.file(`app${i}.db`), 5)
        return BackupManager.open({ source: sqlite(folder.file(`app${i}.db`)), repository, init: true, journal })
      }),
    )
    const works = managers.map((manager) => manager.createFullBackup())
    await Promise.all(storages.map((storage, i) => storage.arrived(1, works[i] ?? Promise.resolve())))
    const engines = new Set(storages.flatMap((storage) => [...storage.engines]))
    const writers = [...(await childrenNow())].filter((pid) => !before.has(pid) && !engines.has(pid))
    assert.equal(writers.length, 1)
    for (const storage of storages) storage.openGate()
    await Promise.all(works)
    await Promise.all(managers.map((manager) => manager.close()))
    // It ends with the last of them.
    assert.deepEqual(
      [...(await childrenNow())].filter((pid) => !before.has(pid) && isRunning(pid)),
      [],
    )
    const done = await operationHistory({ journal })
    assert.deepEqual(done.map(summary).sort(), [
      ...Array(3).fill('backup succeeded -'),
      ...Array(3).fill('init succeeded -'),
    ])
    assert.equal(new Set(done.map(({ id }) => id)).size, 6)
    assert.equal((await auditLog({ journal })).finding, undefined)
  })

  it('in two applications and a command share a journal, whose audit log stays whole', async () => {
    using folder = temporaryFolder()
    const journal = folder.file('journal.db')
    const hosts = ['a', 'b'].map((name) => {
      makeDatabase(folder.file(`${name}.db`), 5)
      const words = [folder.file(`${name}.db`), folder.file(`backups-${name}`), journal, '3']
      return fork(new URL('../programs/busy-host.ts', import.meta.url), words, { execArgv: [] })
    })
    const command = new Journal({ path: journal, actor, onWarning: (message) => assert.fail(message) })
    for (let i = 0; i < 5; i += 1) {
      const operation = await command.begin({ kind: 'verify', repository: 'memory:', trigger: 'manual' })
      await operation.end({ outcome: 'succeeded' })
    }
    const codes = await Promise.all(hosts.map(async (host) => (await once(host, 'exit'))[0]))
    assert.deepEqual(codes, [0, 0])
    const done = await operationHistory({ journal })
    assert.ok(done.every(({ outcome }) => outcome === 'succeeded'))
    assert.equal(done.length, 5 + 2 * 4)
    const { entries, finding } = await auditLog({ journal })
    assert.deepEqual([entries.length, finding], [2 * 13, undefined])
  })
})
