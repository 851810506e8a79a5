import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { seededRandom } from '../support/random.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Rig } from './support/rig.ts'

describe('the first capture of a database that had only backups', () => {
  it('says that it was not followed yet, and warns of nothing', async () => {
    const rig = await Rig.make()
    const random = seededRandom(51)
    await createBackup(rig.database, await Repository.open(rig.storage), { type: 'full' })
    rig.database.commitRandom(random)
    rig.database.commitRandom(random)
    const capture = await rig.follow()
    rig.database.commitRandom(random)
    await capture.sync()
    await capture.stop()
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [[1, 2, gapReasons['not-followed']]],
    )
    assert.deepEqual(rig.of('warning'), [])
    assert.deepEqual(
      [...(await rig.check())],
      [
        [1, 1],
        [2, 3],
        [3, 4],
      ],
    )
  })
})

describe('a capture that finds a newer state than the one it left', () => {
  it('says that it was not running meanwhile, and warns', async () => {
    const rig = await Rig.make()
    const random = seededRandom(52)
    await (await rig.follow()).stop()
    rig.database.commitRandom(random)
    await createBackup(rig.database, await Repository.open(rig.storage), { type: 'full' })
    rig.database.commitRandom(random)
    const capture = await rig.follow()
    await capture.sync()
    await capture.stop()
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [[2, 3, gapReasons['not-running']]],
    )
    assert.equal(rig.of('warning').length, 1)
    await rig.check()
  })
})

describe('a database whose journal mode changes', () => {
  it('while it is not followed: the gap says so, both ways', async () => {
    const rig = await Rig.make()
    const random = seededRandom(53)
    for (const hasLog of [true, false, true]) {
      rig.database.hasLog = hasLog
      if (hasLog) rig.database.reset()
      rig.database.commitRandom(random)
      const capture = await rig.follow({ deltaIntervalMs: 100 })
      await capture.sync()
      await capture.stop()
    }
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [
        [1, 2, gapReasons['journal-mode-changed']],
        [2, 3, gapReasons['journal-mode-changed']],
      ],
    )
    await rig.check()
  })

  for (const hasLog of [true, false]) {
    it(`while it is followed, and busy in that moment: ${hasLog ? 'it gets a log' : 'it has none any more'}`, async () => {
      const rig = await Rig.make()
      const random = seededRandom(54)
      rig.database.hasLog = !hasLog
      rig.database.commitRandom(random)
      const capture = await rig.follow({ deltaIntervalMs: 100 })
      const before = await capture.sync()
      rig.database.hasLog = hasLog
      if (hasLog) rig.database.reset()
      rig.database.commitRandom(random)
      if (!hasLog) rig.database.failAfterPages = { pages: 0, error: new Error('The log is gone.') }
      const busy = new HoldfastError('DATABASE_BUSY', 'Somebody holds it.')
      // Busy from the moment at which it is known that the mode was switched.
      rig.database.onSwitch = () => {
        rig.database.busy = busy
      }
      await rig.until(() => capture.status.trouble === busy.message)
      rig.database.onSwitch = undefined
      rig.database.busy = undefined
      const lsn = await capture.sync()
      assert.ok(lsn > before)
      assert.equal(capture.status.trouble, null)
      rig.database.commitRandom(random)
      await capture.sync()
      await capture.stop()
      const starts = rig.of('started').map(({ mode }) => mode)
      assert.deepEqual(starts, hasLog ? ['deltas', 'commits'] : ['commits', 'deltas'])
      await rig.check()
    })
  }

  it('while it is followed, and it is stopped while it waits', async () => {
    const rig = await Rig.make()
    rig.database.hasLog = false
    const capture = await rig.follow({ deltaIntervalMs: 100 })
    rig.database.onSwitch = () => {
      rig.database.busy = new HoldfastError('DATABASE_BUSY', 'Somebody holds it.')
    }
    rig.database.hasLog = true
    await rig.until(() => capture.status.trouble !== null)
    assert.deepEqual(await capture.stop(), { segments: 0, bytes: 0 })
  })

  it('while it is followed: every commit is kept as soon as there is a log', { timeout: 60_000 }, async () => {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = await SqlProcess.open(path)
    await application.query('PRAGMA journal_mode = delete', 'CREATE TABLE t (x)')
    await using repository = await Repository.init(new MemoryStorage())
    const events: CaptureEvent[] = []
    const capture = await followDatabase(sqlite(path), repository, {
      stateFolder: folder.file('state'),
      syncIntervalMs: 20,
      deltaIntervalMs: 20,
      onEvent: (event) => events.push(event),
    })
    await application.query('PRAGMA journal_mode = wal')
    const switched = await capture.sync()
    for (let n = 0; n < 3; n += 1) {
      await application.query(`INSERT INTO t VALUES (${n})`)
      await capture.sync()
    }
    await application.query('INSERT INTO t VALUES (3)', 'INSERT INTO t VALUES (4)')
    const last = await capture.sync()
    await capture.stop()
    assert.equal(last, switched + 5)
    const starts = events.flatMap((event) => (event.kind === 'started' ? event.mode : []))
    assert.deepEqual(starts, ['deltas', 'commits'])
    const gap = events.findLast((event) => event.kind === 'gap')
    assert.ok(gap === undefined || gap.reason === gapReasons['journal-mode-changed'], gap?.reason)
  })
})
