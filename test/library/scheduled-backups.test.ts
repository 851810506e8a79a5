import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { BackupManager, type BackupResult, type HoldfastError, hasCode, sqlite } from '../../src/index.ts'
import type { BackupKnown } from '../../src/library/scheduled-backups.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { backupResult, fakeSchedules } from './fake-schedules.ts'
import { addRow, makeDatabase } from './make-database.ts'

describe('scheduled backups', () => {
  it('are made while the manager is open, the first one full', async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path)
    await using backups = await BackupManager.open({ source: sqlite(path), repository: folder.file('b'), init: true })
    const results: BackupResult[] = []
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const id = await backups.scheduleBackups('1s', {
      tags: { by: 'schedule' },
      keepAlive: true,
      onBackup: (result, database) => {
        assert.equal(database, 'app')
        results.push(result)
        addRow(path)
        if (results.length === 2) resolve()
      },
    })
    assert.equal(id, 'incremental-every-1s')
    const [schedule] = backups.listScheduledBackups()
    assert.equal(schedule?.description, 'incremental backup every 1 s')
    assert.deepEqual(schedule?.databases, ['app'])
    await enough
    await backups.stopScheduledBackups(id)
    const made = await backups.listBackups()
    assert.deepEqual(
      made.slice(0, 2).map(({ type, tags }) => [type, tags]),
      [
        ['full', { by: 'schedule' }],
        ['incremental', { by: 'schedule' }],
      ],
    )
    assert.deepEqual(
      results.map(({ metadata }) => metadata.id),
      made.map(({ id: made }) => made),
    )
    assert.deepEqual(backups.listScheduledBackups(), [])
    await assert.rejects(backups.stopScheduledBackups(id), (error) => hasCode(error, 'SCHEDULE_NOT_FOUND'))
  })

  it('that fail are told of, and those after them are tried', async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path)
    await using backups = await BackupManager.open({ source: sqlite(path), repository: folder.file('b'), init: true })
    rmSync(path)
    const errors: HoldfastError[] = []
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    await backups.scheduleBackups('1s', {
      keepAlive: true,
      onError: (error, database) => {
        assert.equal(database, 'app')
        if (errors.push(error) === 2) resolve()
      },
    })
    await enough
    assert.ok(errors.every((error) => hasCode(error, 'DATABASE_NOT_FOUND')))
  })

  it('cannot be asked for in ways that make no sense', async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    makeDatabase(path)
    const backups = await BackupManager.open({ source: sqlite(path), repository: folder.file('b'), init: true })
    const refused = async (...args: Parameters<typeof backups.scheduleBackups>) => {
      await assert.rejects(backups.scheduleBackups(...args), (error) => hasCode(error, 'USAGE'))
    }
    await refused('sometimes')
    await refused('61 * * * *')
    await refused({ every: 'daily', at: 'noon' })
    await refused({ every: 'daily', cron: '@daily' })
    await refused({})
    await refused('daily', { databases: ['other'] })
    const fromJavaScript: { afterCommits: number; every?: string } = { afterCommits: 5 }
    await refused(fromJavaScript)
    assert.equal(await backups.scheduleBackups('daily', { id: 'mine' }), 'mine')
    await refused('hourly', { id: 'mine' })
    assert.equal(await backups.scheduleBackups('daily'), 'incremental-daily')
    assert.equal(await backups.scheduleBackups('daily'), 'incremental-daily-2')
    await backups.close()
    await refused('daily')
  })

  for (const [what, end] of [
    ['do not keep a process alive', 'let go'],
    ['keep a process alive if asked to, until they are stopped', 'keep alive'],
    ['end with their manager', 'close'],
  ] as const)
    it(what, () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      makeDatabase(path)
      const program = join(import.meta.dirname, 'programs', 'schedule-host.ts')
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, path, folder.file('b'), end], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      assert.equal(stdout, end === 'keep alive' ? 'scheduled\nbacked up\nover\n' : 'scheduled\nover\n')
    })
})

const backup = (type: BackupKnown['type'], capturedAt: string): BackupKnown => ({ type, capturedAt, damaged: false })

describe('what was missed while no manager was open', () => {
  const newest: Readonly<Record<string, readonly BackupKnown[]>> = {
    a: [backup('full', '2026-11-15T00:00:00.000Z'), backup('incremental', '2026-11-21T11:30:00.000Z')],
    b: [backup('full', '2026-11-20T23:00:00.000Z')],
  }
  const day = 24 * 3_600_000
  let result: BackupResult

  before(async () => {
    result = await backupResult()
  })

  const schedulesOfTwo = () => fakeSchedules(result, '2026-11-21T12:00Z', (database) => newest[database] ?? [])

  it('is told from the newest backup of a database, and made once', async () => {
    const { made, clock, schedules } = schedulesOfTwo()
    await schedules.add('daily', ['a', 'b'], {})
    await clock.pass(day)
    await schedules.close()
    assert.deepEqual(made, ['11-21T12:00 b incremental', '11-22T00:00 a incremental', '11-22T00:00 b incremental'])
  })

  it('of full backups, from the newest full one', async () => {
    const { made, clock, schedules } = schedulesOfTwo()
    await schedules.add('weekly', ['a', 'b'], { type: 'full' })
    await schedules.add({ every: 'daily', at: '20:00' }, ['a'], { type: 'snapshot', catchUp: false })
    await clock.pass(day)
    await schedules.close()
    assert.deepEqual(made, [
      '11-21T20:00 a snapshot-daily-70ee73-2026-11-21T20-00-00Z',
      '11-22T00:00 a full',
      '11-22T00:00 b full',
    ])
  })

  it('is let be, if that is wanted', async () => {
    const { made, clock, schedules } = schedulesOfTwo()
    await schedules.add('daily', ['b'], { catchUp: false })
    await clock.pass(day / 4)
    await schedules.close()
    assert.deepEqual(made, [])
  })

  it('is not asked for anew when another schedule is added', async () => {
    const { made, clock, schedules } = schedulesOfTwo()
    await Promise.all([schedules.add('daily', ['b'], {}), schedules.add('weekly', ['b'], { catchUp: false })])
    await schedules.add('monthly', ['b'], { catchUp: false })
    await clock.pass(day / 4)
    await schedules.close()
    assert.deepEqual(made, ['11-21T12:00 b incremental'])
  })
})
