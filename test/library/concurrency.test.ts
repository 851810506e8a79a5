import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupManager, hasCode, LocalStorage, sqlite } from '../../src/index.ts'
import { isRunning } from '../engine/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { GateStorage } from './gate-storage.ts'
import { addRow, makeDatabase } from './make-database.ts'

const names = ['ada', 'bob', 'cyd', 'dan', 'eve']

describe('backups of several databases', () => {
  it('run at once up to maxConcurrentBackups, each in a process of its own, none of which is left', async () => {
    using folder = temporaryFolder()
    for (const name of names) makeDatabase(folder.file(`${name}.db`))
    const storage = new GateStorage()
    const sources = names.map((name) => sqlite(folder.file(`${name}.db`)))
    const backups = await BackupManager.open({ sources, repository: storage, init: true, maxConcurrentBackups: 2 })
    assert.deepEqual(backups.databases, names)

    const all = backups.createBackup({ type: 'full' })
    await storage.arrived(2, all)
    assert.equal(storage.engines.size, 2)
    // Time for a third to appear, if one were started.
    await sleep(500)
    assert.deepEqual(storage.begun.toSorted(), ['ada', 'bob'])
    storage.openGate()

    assert.deepEqual(
      (await all).map(({ database, status }) => [database, status]),
      names.map((name) => [name, 'fulfilled']),
    )
    assert.equal(storage.mostAtOnce, 2)
    assert.equal(storage.engines.size, names.length)
    await backups.close()
    assert.deepEqual([...storage.engines].filter(isRunning), [])
  })

  it('that fail do not keep the others from being done', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('ada.db'))
    makeDatabase(folder.file('cyd.db'))
    await using backups = await BackupManager.open({
      sources: ['ada', 'bob', 'cyd'].map((name) => sqlite(folder.file(`${name}.db`))),
      repository: folder.file('backups'),
      init: true,
    })
    const outcomes = await backups.createBackup({ type: 'full', tags: { by: 'test' } })
    assert.deepEqual(
      outcomes.map(({ database, status }) => [database, status]),
      [
        ['ada', 'fulfilled'],
        ['bob', 'rejected'],
        ['cyd', 'fulfilled'],
      ],
    )
    const [, failed] = outcomes
    assert.ok(failed?.status === 'rejected' && hasCode(failed.reason, 'DATABASE_NOT_FOUND'))
    assert.deepEqual((await backups.listBackups()).map(({ database }) => database).toSorted(), ['ada', 'cyd'])
    const [only] = await backups.createBackup({ type: 'incremental', databases: ['cyd'] })
    assert.equal(only?.database, 'cyd')
    assert.equal((await backups.getBackupStats({ database: 'cyd' })).backups, 2)
  })

  it('need to be told apart where one is meant', async () => {
    using folder = temporaryFolder()
    const options = { repository: folder.file('backups'), init: true }
    await using backups = await BackupManager.open({ ...options, sources: [sqlite('a.db'), sqlite('b.db')] })
    await assert.rejects(backups.createFullBackup(), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(backups.getBackupStats({ database: 'c' }), (error) => hasCode(error, 'USAGE'))
    const twice = [sqlite('one/app.db'), sqlite('two/app.db')]
    await assert.rejects(BackupManager.open({ ...options, sources: twice }), (error) => hasCode(error, 'USAGE'))
    const named = twice.map((source, i) => ({ source, database: `app${i}` }))
    await using renamed = await BackupManager.open({ ...options, sources: named })
    assert.deepEqual(renamed.databases, ['app0', 'app1'])
  })
})

describe('backups of one database', () => {
  it('that are asked for at once follow one another, in order', async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path)
    await using backups = await BackupManager.open({
      source: sqlite(path),
      repository: folder.file('backups'),
      init: true,
    })
    const full = backups.createFullBackup()
    const incremental = backups.createIncrementalBackup()
    const snapshot = backups.createSnapshotBackup({ name: 'third' })
    const results = await Promise.all([full, incremental, snapshot])
    assert.deepEqual(
      results.map(({ metadata }) => [metadata.type, metadata.lsn]),
      [
        ['full', 1],
        ['incremental', 2],
        ['snapshot', 3],
      ],
    )
  })

  it('are waited for by close, after which nothing is begun', async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path)
    const repository = new LocalStorage(folder.file('backups'))
    const backups = await BackupManager.open({ source: sqlite(path), repository, init: true })
    const backup = backups.createFullBackup()
    addRow(path)
    await backups.close()
    const { metadata } = await backup
    assert.equal(metadata.type, 'full')
    await assert.rejects(
      async () => backups.createFullBackup(),
      (error) => hasCode(error, 'USAGE'),
    )
    // The storage is ours, and still open.
    assert.notEqual(await repository.head('holdfast.json'), undefined)
  })
})
