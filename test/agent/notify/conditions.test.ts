import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Operation } from '../../../src/agent/journal/operation.ts'
import { observeDamage } from '../../../src/agent/notify/conditions/damage.ts'
import { measureDisk, observeDisk } from '../../../src/agent/notify/conditions/disk.ts'
import { observeGap, observeLag, observeSpool, observeTrouble } from '../../../src/agent/notify/conditions/following.ts'
import { type Expectation, type Freshness, observeFreshness } from '../../../src/agent/notify/conditions/freshness.ts'
import { observeOperation } from '../../../src/agent/notify/conditions/operation.ts'
import { observeUncleanStop } from '../../../src/agent/notify/conditions/unclean-stop.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { day, Engine, hour, minute, start, told } from './support/alerts.ts'

const gibibyte = 1024 ** 3

function anOperation(changes: Partial<Operation> = {}): Operation {
  return {
    id: '1',
    kind: 'backup',
    type: 'incremental',
    database: 'app',
    repository: 'file:///srv/backups',
    trigger: 'schedule',
    schedule: 'hourly',
    outcome: 'failed',
    code: 'DISK_FULL',
    message: 'No space left while writing /srv/backups.',
    startedAt: start,
    endedAt: start,
    ...changes,
  }
}

describe('a failed operation', () => {
  test('fires, and its next success clears it', () => {
    const engine = new Engine()
    const [alert] = engine.see(...observeOperation(anOperation()))
    assert.deepEqual(alert, {
      state: 'firing',
      key: 'failure/backup/app/changes',
      kind: 'failure',
      severity: 'critical',
      database: 'app',
      summary: 'The incremental backup of app failed: No space left while writing /srv/backups.',
      details: {
        operation: 'backup',
        operationId: '1',
        repository: 'file:///srv/backups',
        type: 'incremental',
        schedule: 'hourly',
        code: 'DISK_FULL',
      },
      incident: 'failure/backup/app/changes@2026-03-01T00:00:00.000Z',
      at: start,
      since: start,
      reminder: 0,
      times: 1,
    })
    engine.now += hour
    assert.deepEqual(engine.see(...observeOperation(anOperation())), [])
    engine.now += hour
    const [over] = engine.see(...observeOperation(anOperation({ outcome: 'warning' })))
    assert.deepEqual([over?.state, over?.times], ['recovered', 2])
  })

  test('of one kind is not cleared by another, nor that of a full backup by an incremental one', () => {
    const engine = new Engine()
    engine.see(...observeOperation(anOperation({ type: 'full' })), ...observeOperation(anOperation()))
    assert.deepEqual(engine.see(...observeOperation(anOperation({ kind: 'expire', outcome: 'succeeded' }))), [])
    assert.deepEqual(engine.see(...observeOperation(anOperation({ database: 'other', outcome: 'succeeded' }))), [])
    const incremental = engine.see(...observeOperation(anOperation({ outcome: 'succeeded' })))
    assert.deepEqual(
      incremental.map(({ key }) => key),
      ['failure/backup/app/changes'],
    )
    const full = engine.see(...observeOperation(anOperation({ type: 'full', outcome: 'succeeded' })))
    assert.deepEqual(
      full.map(({ key }) => key),
      ['failure/backup/app/full'],
    )
  })

  test('that somebody at a terminal has seen is none to tell of, but a good end at a terminal clears', () => {
    const engine = new Engine()
    assert.deepEqual(observeOperation(anOperation({ trigger: 'manual' })), [])
    engine.see(...observeOperation(anOperation()))
    assert.deepEqual(told(engine.see(...observeOperation(anOperation({ trigger: 'manual', outcome: 'succeeded' })))), [
      'recovered failure',
    ])
  })

  test('of a drill is told also when somebody at a terminal has seen it: it is about the backups', () => {
    const engine = new Engine()
    const drill = (outcome: Operation['outcome']) =>
      told(engine.see(...observeOperation(anOperation({ kind: 'drill', trigger: 'manual', outcome }))))
    assert.deepEqual(drill('inconclusive'), [])
    assert.deepEqual(drill('failed'), ['firing drill'])
    assert.deepEqual(drill('succeeded'), ['recovered drill'])
  })

  test('that was only interrupted says nothing', () => {
    assert.deepEqual(observeOperation(anOperation({ outcome: 'interrupted' })), [])
    assert.deepEqual(observeOperation(anOperation({ code: 'ABORTED' })), [])
  })
})

test('a failed or inconclusive drill fires, and a passed one clears it', () => {
  for (const [outcome, severity] of [
    ['failed', 'critical'],
    ['inconclusive', 'warning'],
  ] as const) {
    const engine = new Engine()
    const drill = anOperation({ kind: 'drill', type: undefined, outcome, message: 'users: 0 rows.' })
    const [alert] = engine.see(...observeOperation(drill))
    assert.deepEqual([alert?.kind, alert?.severity], ['drill', severity])
    assert.match(
      alert?.summary ?? '',
      outcome === 'failed' ? /drill of app failed: users/ : /drill of app was inconclusive/,
    )
    assert.deepEqual(told(engine.see(...observeOperation({ ...drill, outcome: 'succeeded' }))), ['recovered drill'])
  }
})

describe('damage that a verification finds', () => {
  const verification = anOperation({
    kind: 'verify',
    type: 'data',
    code: 'INTEGRITY',
    message: 'A segment is damaged.',
  })
  const sound = { ok: true, problem: '' }
  const bad = { ok: false, problem: 'The checksum of block 3 does not match.' }

  test('fires, and is not cleared by a good verification of other objects', () => {
    const engine = new Engine()
    assert.deepEqual(told(engine.see(...observeOperation(verification))), ['firing verify'])
    assert.deepEqual(engine.see(...observeOperation({ ...verification, outcome: 'succeeded', code: undefined })), [])
    assert.deepEqual(engine.see(...observeDamage('app', { segments: { a: bad, b: sound }, restores: {} })), [])
    assert.deepEqual(told(engine.see(...observeDamage('app', { segments: { b: sound }, restores: {} }))), [
      'recovered verify',
    ])
  })

  test('is told also by an agent that did not verify: it is in the repository', () => {
    const [alert] = new Engine().see(...observeDamage('app', { segments: { a: sound, b: bad }, restores: { c: bad } }))
    assert.match(alert?.summary ?? '', /damage in 2 objects of app: b: The checksum of block 3/)
  })

  test('is told apart from a verification that could not look', () => {
    const engine = new Engine()
    const [alert] = engine.see(...observeOperation({ ...verification, code: 'STORAGE_TRANSIENT' }))
    assert.deepEqual([alert?.kind, alert?.severity], ['failure', 'warning'])
    assert.deepEqual(told(engine.see(...observeOperation({ ...verification, outcome: 'succeeded' }))), [
      'recovered failure',
    ])
  })
})

describe('an overdue database', () => {
  const daily: Expectation = {
    schedules: [{ id: 'daily', action: 'incremental', trigger: { on: 'calendar', every: 'daily', at: 120 } }],
  }
  const look = (engine: Engine, freshness: Partial<Freshness>, expectation: Expectation) =>
    engine.see(...observeFreshness({ database: 'app', ...freshness }, expectation, engine.now))

  test('fires when its newest state is older than it may be, and clears with the next', () => {
    const engine = new Engine()
    const expectation = { overdueAfterMs: 26 * hour }
    assert.deepEqual(look(engine, { newestBackupAt: start - 26 * hour }, expectation), [])
    engine.now += 1
    const [alert] = look(engine, { newestBackupAt: start - 26 * hour }, expectation)
    assert.equal(alert?.severity, 'critical')
    assert.equal(
      alert?.summary,
      'The newest state of app in the repository is 1 d 2 h old; it should never be older than 1 d 2 h.',
    )
    assert.deepEqual(told(look(engine, { newestBackupAt: engine.now }, expectation)), ['recovered overdue'])
  })

  test('is none while its commits come in, or while it is followed and has none', () => {
    const engine = new Engine()
    const expectation = { overdueAfterMs: hour }
    const newestBackupAt = start - 30 * day
    assert.deepEqual(look(engine, { newestBackupAt, newestCommitAt: start - minute }, expectation), [])
    assert.deepEqual(look(engine, { newestBackupAt, coveredUntil: start }, expectation), [])
    assert.deepEqual(told(look(engine, { newestBackupAt }, expectation)), ['firing overdue'])
  })

  test('is told from its schedules: a run that was due some time ago has left nothing', () => {
    const engine = new Engine()
    // Due daily at 02:00; a run may be late by a quarter of a day.
    const newestBackupAt = Date.parse('2026-03-01T02:05:00Z')
    engine.now = Date.parse('2026-03-02T08:00:00Z')
    assert.deepEqual(look(engine, { newestBackupAt }, daily), [])
    engine.now += minute
    assert.deepEqual(told(look(engine, { newestBackupAt }, daily)), ['firing overdue'])
    assert.deepEqual(told(look(engine, { newestBackupAt: engine.now }, daily)), ['recovered overdue'])
  })

  test('with schedules that do not go by the clock, or none, is never told', () => {
    const engine = new Engine()
    const schedules = [{ id: 'x', action: 'full', trigger: { on: 'commits', count: 10 } }] as const
    assert.deepEqual(look(engine, { newestBackupAt: 0 }, { schedules }), [])
    assert.deepEqual(look(engine, {}, {}), [])
    assert.deepEqual(
      look(
        engine,
        { newestBackupAt: 0 },
        { schedules: [{ ...schedules[0], action: 'verify', trigger: { on: 'interval', everyMs: 1 } }] },
      ),
      [],
    )
  })

  test('that was never backed up is told when the first backup should have been made', () => {
    const engine = new Engine()
    assert.deepEqual(look(engine, {}, daily), [])
    const firstDue = Date.parse('2026-03-01T08:00:00Z')
    for (; engine.now < firstDue; engine.now += minute) assert.deepEqual(look(engine, {}, daily), [])
    const [alert] = look(engine, {}, daily)
    assert.equal(alert?.summary, 'There is no backup of app at all.')
  })

  test('is not thought new because of a state that is dated in the future', () => {
    const engine = new Engine()
    const freshness = { newestBackupAt: start - 2 * day, newestCommitAt: start + 300 * day }
    assert.deepEqual(told(look(engine, freshness, { overdueAfterMs: day })), ['firing overdue'])
  })
})

describe('a followed database', () => {
  test('whose commits wait too long fires after a minute, and clears when they have been gone for five', () => {
    const engine = new Engine()
    assert.deepEqual(engine.see(...observeLag('app', 5 * minute)), [])
    assert.deepEqual(engine.see(...observeLag('app', 5 * minute + 1)), [])
    engine.now += minute
    assert.deepEqual(told(engine.see(...observeLag('app', 6 * minute))), ['firing lag'])
    assert.deepEqual(engine.see(...observeLag('app', 0)), [])
    assert.deepEqual(told(engine.wait(5 * minute)), ['recovered lag'])
  })

  test('past a limit shorter than a minute are told of when they have been past it for as long again', () => {
    const engine = new Engine()
    assert.deepEqual(engine.see(...observeLag('app', 6_000, 5_000)), [])
    assert.deepEqual(engine.wait(4_000), [])
    assert.deepEqual(told(engine.wait(2_000)), ['firing lag'])
  })

  test('that cannot be read fires, and clears once it can', () => {
    const engine = new Engine()
    const [alert] = engine.see(...observeTrouble('app', 'Somebody holds a lock on it.'))
    assert.match(alert?.summary ?? '', /app cannot be followed.*Somebody holds a lock/)
    assert.equal(alert?.severity, 'critical')
    assert.deepEqual(told(engine.see(...observeTrouble('app', undefined))), ['recovered failure'])
  })

  test('that lost commits fires, and clears when no more were lost for an hour', () => {
    const engine = new Engine()
    const gap = {
      fromLsn: toLsn(3),
      toLsn: toLsn(4),
      fromTime: start - hour,
      toTime: start,
      reason: gapReasons['log-reset'],
    }
    const [alert] = engine.see(...observeGap('app', gap))
    assert.match(alert?.summary ?? '', /Commits of app were missed between .*: the log was reset/)
    assert.deepEqual(told(engine.wait(hour)), ['recovered gap'])
  })

  test('of which nothing could be lost does not fire', () => {
    const gap = { fromLsn: toLsn(0), toLsn: toLsn(1), fromTime: start, toTime: start }
    for (const reason of [gapReasons['first-state'], gapReasons['no-log']])
      assert.deepEqual(observeGap('app', { ...gap, reason }), [])
  })

  test('whose spool fills fires, says when it is full, and clears when it has room again', () => {
    const engine = new Engine()
    assert.deepEqual(engine.see(...observeSpool('app', 800, 1000)), [])
    const [filling] = engine.see(...observeSpool('app', 801, 1000))
    assert.deepEqual(
      [filling?.severity, filling?.summary],
      ['warning', 'The spool of app is 80 % full: 801 B of 1000 B wait for the repository.'],
    )
    const [full] = engine.see(...observeSpool('app', 1200, 1000))
    assert.deepEqual([full?.severity, full?.reminder], ['critical', 0])
    assert.match(full?.summary ?? '', /^The spool of app is full/)
    assert.deepEqual(engine.see(...observeSpool('app', 0, 1000)), [])
    assert.deepEqual(told(engine.wait(5 * minute)), ['recovered spool'])
  })
})

describe('a disk', () => {
  const disk = { what: 'the repository', path: '/srv', totalBytes: 100 * gibibyte }

  test('that is nearly full fires, is worse when hardly anything is left, and clears', () => {
    const engine = new Engine()
    assert.deepEqual(told(engine.see(...observeDisk({ ...disk, freeBytes: 4 * gibibyte }))), ['firing disk'])
    const [worse] = engine.see(...observeDisk({ ...disk, freeBytes: gibibyte / 2 }))
    assert.equal(worse?.severity, 'critical')
    assert.deepEqual(engine.see(...observeDisk({ ...disk, freeBytes: 50 * gibibyte })), [])
    assert.deepEqual(told(engine.wait(10 * minute)), ['recovered disk'])
  })

  test('that is large, small but empty, or of unknown size does not', () => {
    const engine = new Engine()
    for (const [freeBytes, totalBytes] of [
      [60 * gibibyte, 1000 * gibibyte],
      [0.2 * gibibyte, gibibyte],
      [0, 0],
    ] as const)
      assert.deepEqual(engine.see(...observeDisk({ ...disk, freeBytes, totalBytes })), [])
  })

  test('is measured where a path lies', async () => {
    using folder = temporaryFolder()
    const { freeBytes, totalBytes } = await measureDisk(folder.path)
    assert.ok(freeBytes > 0 && totalBytes >= freeBytes)
    await assert.rejects(measureDisk(folder.file('missing')))
  })
})

test('an agent that was killed fires when it is back, once for many kills, and clears after an hour of peace', () => {
  const engine = new Engine()
  const alerts = [1, 2, 3, 4].flatMap(() => {
    engine.now += 5 * minute
    return engine.see(...observeUncleanStop({ startedAt: start, seenAt: engine.now - minute }, engine.now))
  })
  assert.deepEqual(told(alerts), ['firing agent'])
  assert.deepEqual(engine.wait(59 * minute), [])
  const [over] = engine.wait(minute)
  assert.deepEqual([over?.state, over?.times], ['recovered', 4])
})
