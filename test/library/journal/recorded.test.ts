/** What an application does with the library is in the history and the audit log, as what is done by commands is. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  hasCode,
  initRepository,
  MemoryStorage,
  mirrorRepository,
  operationHistory,
  PointInTimeRecovery,
  promoteMirror,
  type RecordedOperation,
  RestoreManager,
  runDrill,
  verifyBackups,
} from '../../../src/index.ts'
import { addRow } from '../make-database.ts'
import { application } from './support/application.ts'

function summary({ kind, type, database, trigger, outcome }: RecordedOperation): string {
  return [kind, type ?? '-', database ?? '-', trigger, outcome].join(' ')
}

describe('what an application does is recorded', () => {
  it('by its manager, with figures and parameters', async () => {
    using app = application()
    let fullId = ''
    let snapshotId = ''
    {
      await using backups = await app.open()
      const full = await backups.createFullBackup({ name: 'first' })
      fullId = full.metadata.id
      addRow(app.path)
      await backups.createIncrementalBackup()
      const snapshot = await backups.createSnapshotBackup({ name: 'second' })
      snapshotId = snapshot.metadata.id
      await backups.createBackup({ type: 'full' })
      await backups.pinBackup('first')
      await backups.unpinBackup('second')
      await backups.verify({ level: 'metadata' })
      await backups.drill()
      await backups.compact()
      await backups.cleanupOldBackups({ retention: { last: 10, window: 0 } })
      await backups.deleteBackup('second', { force: true })
      await using live = await backups.follow({ stateFolder: app.folder.file('capture') })
      addRow(app.path)
      await live.sync()
      await live.stop()
    }
    const done = await app.history()
    assert.deepEqual(done.map(summary), [
      'init - - library succeeded',
      'backup full app library succeeded',
      'backup incremental app library succeeded',
      'backup snapshot app library succeeded',
      'backup full app library succeeded',
      'pin - app library succeeded',
      'unpin - app library succeeded',
      'verify metadata app library succeeded',
      'drill - app library succeeded',
      'compact - app library succeeded',
      'expire - app library succeeded',
      'delete - app library succeeded',
      'follow commits app library succeeded',
    ])
    assert.ok(done.every(({ repository, rebuilt }) => repository === app.url && !rebuilt))
    assert.ok(done.every(({ startedAt, endedAt }) => endedAt !== undefined && endedAt >= startedAt))
    const [, full, incremental, snapshot, , pin, , verify, drill, , expire, deleted, follow] = done
    assert.equal(full?.backupId, fullId)
    assert.deepEqual([full?.figures?.['lsn'], full?.figures?.['writersBlockedMs']], [1, 0])
    assert.ok((full?.figures?.['storedBytes'] ?? 0) > 0 && (incremental?.figures?.['pages'] ?? 0) > 0)
    assert.equal(snapshot?.backupId, snapshotId)
    assert.equal(pin?.backupId, fullId)
    assert.deepEqual([verify?.figures?.['manifests'], verify?.figures?.['findings']], [4, 0])
    assert.ok((drill?.figures?.['recoveryMs'] ?? 0) > 0)
    assert.equal(expire?.figures?.['kept'], 4)
    assert.equal(deleted?.backupId, snapshotId)
    assert.equal(follow?.figures?.['commits'], 1)
    assert.equal(follow?.figures?.['uploadedLsn'], follow?.figures?.['lsn'])

    const { entries, finding, head, journal } = await app.audit()
    assert.equal(finding, undefined)
    assert.equal(journal, app.journal)
    assert.equal(head?.sequence, 2 * done.length)
    assert.equal(entries.length, 2 * done.length)
    const asked = entries.filter(({ event }) => event === 'begin').map(({ kind, parameters }) => [kind, parameters])
    assert.deepEqual(asked.slice(0, 2), [
      ['init', {}],
      ['backup', { path: app.path, name: 'first', parent: null, allowDamaged: false }],
    ])
    assert.deepEqual(asked.slice(-3), [
      ['expire', { last: 10, window: 0 }],
      ['delete', { backup: 'second', force: true }],
      ['follow', { path: app.path, enableWal: false }],
    ])
    const [{ actor } = { actor: undefined }] = entries
    assert.deepEqual([actor?.pid, actor?.command], [process.pid, import.meta.filename])
  })

  it('by restores and recoveries', async () => {
    using app = application()
    const { folder, journal, repository } = app
    await using backups = await app.open()
    const { metadata } = await backups.createFullBackup()
    {
      await using restores = await RestoreManager.open({ repository, database: 'app', journal })
      const checkCommand = 'echo secret >/dev/null'
      await restores.restoreLatest({ targetPath: folder.file('a.db'), checkCommand })
      await assert.rejects(restores.restoreLatest({ targetPath: folder.file('a.db') }), (error) =>
        hasCode(error, 'TARGET_EXISTS'),
      )
      await using pitr = await PointInTimeRecovery.open({ repository, database: 'app', journal })
      await pitr.recoverToLsn(1, { targetPath: folder.file('a.db'), force: true })
    }
    const [, , first, second, third, ...rest] = await app.history()
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    assert.deepEqual(rest, [])
    assert.deepEqual([summary(first), first.backupId], ['restore create app library succeeded', metadata.id])
    assert.ok((first.figures?.['pagesWritten'] ?? 0) > 0)
    assert.deepEqual([summary(second), second.code], ['restore - app library failed', 'TARGET_EXISTS'])
    assert.equal(summary(third), 'restore replace app library succeeded')
    const { entries } = await app.audit()
    const asked = entries.filter(({ event, kind }) => event === 'begin' && kind === 'restore')
    const to = folder.file('a.db')
    const usual = { before: false, to, delta: false, validate: 'integrity' }
    assert.deepEqual(
      asked.map(({ parameters }) => parameters),
      [
        { ...usual, state: 'latest', force: false, checked: true },
        { ...usual, state: 'latest', force: false, checked: false },
        { ...usual, state: 1, force: true, checked: false },
      ],
    )
    assert.ok(!JSON.stringify(entries).includes('secret'))
  })

  it('by the functions', async () => {
    using app = application()
    const { folder, journal, repository } = app
    await initRepository(repository, { journal })
    await using backups = await app.open()
    await backups.createFullBackup()
    await verifyBackups({ repository, journal, level: 'data' })
    await runDrill({ repository, journal, database: 'app' })
    const to = folder.file('mirror')
    await mirrorRepository({ repository, to, journal })
    await promoteMirror(to, { journal })
    const done = await app.history()
    assert.deepEqual(done.map(summary), [
      'init - - library succeeded',
      'backup full app library succeeded',
      'verify data - library succeeded',
      'drill - app library succeeded',
      `mirror file://${to} - library succeeded`,
      `promote ${app.url} - library succeeded`,
    ])
    assert.deepEqual(done.at(-1)?.repository, `file://${to}`)
  })

  it('by its schedules, with their names', async () => {
    using app = application()
    await using backups = await app.open()
    const { promise: isDone, resolve } = Promise.withResolvers<void>()
    const id = await backups.scheduleBackups('1s', { keepAlive: true, onBackup: () => resolve() })
    await isDone
    await backups.stopScheduledBackups(id)
    const [, first] = await app.history()
    assert.deepEqual([first?.trigger, first?.schedule, first?.type], ['schedule', id, 'full'])
  })

  it('also when it fails', async () => {
    using app = application()
    await using backups = await app.open()
    await assert.rejects(backups.createIncrementalBackup(), (error) => hasCode(error, 'BACKUP_NOT_FOUND'))
    await assert.rejects(backups.deleteBackup('nothing'), (error) => hasCode(error, 'BACKUP_NOT_FOUND'))
    const [, backup, deleted] = await app.history()
    assert.deepEqual(
      [backup, deleted].map((each) => [each?.kind, each?.outcome, each?.code]),
      [
        ['backup', 'failed', 'BACKUP_NOT_FOUND'],
        ['delete', 'failed', 'BACKUP_NOT_FOUND'],
      ],
    )
    assert.match(backup?.message ?? '', /\.$/)
    const ends = (await app.audit()).entries.filter(({ event }) => event === 'end')
    assert.deepEqual(
      ends.map(({ outcome, code }) => [outcome, code]),
      [
        ['succeeded', null],
        ['failed', 'BACKUP_NOT_FOUND'],
        ['failed', 'BACKUP_NOT_FOUND'],
      ],
    )
  })

  it('but no dry run, and nothing that makes no sense', async () => {
    using app = application()
    await using backups = await app.open()
    await backups.createFullBackup()
    const place = { repository: app.repository, journal: app.journal }
    await using restores = await RestoreManager.open({ ...place, database: 'app' })
    await backups.cleanupOldBackups({ dryRun: true })
    await backups.compact({ dryRun: true })
    await backups.deleteBackup((await backups.listBackups())[0]?.id ?? '', { dryRun: true, force: true })
    await restores.restoreLatest({ targetPath: app.folder.file('a.db'), dryRun: true })
    await mirrorRepository({ ...place, to: app.folder.file('mirror'), dryRun: true })
    const misused = [
      () => backups.cleanupOldBackups({ retention: { last: -1 } }),
      () => backups.follow({ syncIntervalMs: -1 }),
      () => backups.verify({ subset: 7 }),
      () => backups.drill({ timeLimitMs: -1 }),
      () => restores.restoreLatest({ targetPath: '' }),
      () => mirrorRepository({ ...place, to: app.folder.file('mirror'), graceMs: -1 }),
    ]
    for (const call of misused) await assert.rejects(call, (error) => hasCode(error, 'USAGE'))
    assert.deepEqual((await app.history()).map(summary), [
      'init - - library succeeded',
      'backup full app library succeeded',
    ])
    assert.equal((await app.audit()).finding, undefined)
  })
})

describe('where nothing is recorded', () => {
  it('is where the application says so', async () => {
    using app = application()
    const before = process.env['XDG_STATE_HOME']
    process.env['XDG_STATE_HOME'] = app.folder.file('xdg')
    try {
      await using backups = await app.open({ journal: false })
      await backups.createFullBackup()
      await assert.rejects(backups.history(), (error) => hasCode(error, 'USAGE'))
      assert.ok(!existsSync(app.folder.file('xdg/holdfast/journal.db')))
      // Otherwise it is the journal that commands write, too.
      await using recorded = await app.open({ journal: undefined })
      await recorded.createFullBackup()
      assert.ok(existsSync(app.folder.file('xdg/holdfast/journal.db')))
      assert.deepEqual((await operationHistory()).map(summary), ['backup full app library succeeded'])
    } finally {
      if (before === undefined) delete process.env['XDG_STATE_HOME']
      else process.env['XDG_STATE_HOME'] = before
    }
  })

  it('is in memory, unless the application names a journal', async () => {
    using app = application()
    await using forgotten = await app.open({ repository: new MemoryStorage(), journal: undefined })
    await forgotten.createFullBackup()
    await assert.rejects(forgotten.history(), (error) => hasCode(error, 'USAGE'))
    await using recorded = await app.open({ repository: new MemoryStorage() })
    await recorded.createFullBackup()
    assert.deepEqual((await recorded.history()).map(summary), [
      'init - - library succeeded',
      'backup full app library succeeded',
    ])
  })

  it('is not where the journal is a senseless one', async () => {
    using app = application()
    await assert.rejects(app.open({ journal: '' }), (error) => hasCode(error, 'USAGE') && /journal/.test(error.message))
  })
})

describe('the history, as the library gives it', () => {
  it('is that of the repository, by kind, outcome, time and number', async () => {
    using app = application()
    await using backups = await app.open()
    await backups.createFullBackup()
    const between = Date.now() + 1
    while (Date.now() <= between) await new Promise((resolve) => setTimeout(resolve, 1))
    await assert.rejects(backups.createIncrementalBackup({ parent: 'nothing' }))
    await using other = await app.open({ repository: app.folder.file('other') })
    await other.createFullBackup()
    const kinds = async (query: Parameters<typeof backups.history>[0]) =>
      (await backups.history(query)).map(({ kind, outcome }) => `${kind} ${outcome}`)
    assert.deepEqual(await kinds({}), ['init succeeded', 'backup succeeded', 'backup failed'])
    assert.deepEqual(await kinds({ kind: 'backup', outcome: 'succeeded' }), ['backup succeeded'])
    assert.deepEqual(await kinds({ since: new Date(between) }), ['backup failed'])
    assert.deepEqual(await kinds({ until: new Date(between).toISOString() }), ['init succeeded', 'backup succeeded'])
    assert.deepEqual(await kinds({ limit: 1 }), ['backup failed'])
    assert.deepEqual(await kinds({ trigger: 'manual' }), [])
    assert.deepEqual(await kinds({ database: app.path }), ['backup succeeded', 'backup failed'])
    assert.equal((await app.history()).length, 5)
    await assert.rejects(backups.history({ limit: 0 }), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(backups.history({ since: 'yesterday' }), (error) => hasCode(error, 'USAGE'))
  })

  it('holds what the repository tells of others; that is asked once, and when it is wanted', async () => {
    using app = application()
    await using backups = await app.open()
    await backups.createFullBackup()
    const elsewhere = app.folder.file('elsewhere/journal.db')
    const there = { repository: app.repository, journal: elsewhere }
    assert.deepEqual(await operationHistory({ ...there, rebuild: false }), [])
    assert.ok(!existsSync(elsewhere))
    const [found, ...more] = await operationHistory(there)
    assert.deepEqual([found?.kind, found?.type, found?.rebuilt, more.length], ['backup', 'full', true, 0])
    await backups.createFullBackup()
    assert.equal((await operationHistory(there)).length, 1)
    assert.equal((await operationHistory({ ...there, rebuild: true })).length, 2)
    // What was recorded when it was done is not told twice.
    assert.equal((await backups.history({ rebuild: true })).length, 3)
  })

  it('tells of a place that never was a repository', async () => {
    using app = application()
    const nowhere = { repository: app.folder.file('nowhere'), journal: app.journal }
    await assert.rejects(operationHistory(nowhere), (error) => hasCode(error, 'REPOSITORY_NOT_FOUND'))
    assert.deepEqual(await app.history(), [])
    assert.deepEqual(await app.audit(), { journal: app.journal, entries: [], head: undefined, finding: undefined })
  })
})
