import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { BackupManager, HoldfastError, PointInTimeRecovery, RestoreManager, sqlite } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

describe('a number that makes no sense', () => {
  const folder = temporaryFolder()
  const repository = folder.file('backups')
  const source = sqlite(folder.file('app.db'))
  const places = { repository, journal: folder.file('journal.db') } as const
  let backups: BackupManager
  let restores: RestoreManager
  let pitr: PointInTimeRecovery

  before(async () => {
    makeDatabase(folder.file('app.db'))
    backups = await BackupManager.open({ ...places, source, init: true })
    await backups.createFullBackup()
    restores = await RestoreManager.open({ ...places, database: 'app' })
    pitr = await PointInTimeRecovery.open({ ...places, database: 'app' })
  })
  after(async () => {
    await pitr.close()
    await restores.close()
    await backups.close()
    folder[Symbol.dispose]()
  })

  const targetPath = folder.file('out.db')
  const { NaN: nan } = Number
  const refused: Readonly<Record<string, readonly [() => Promise<unknown>, string]>> = {
    'an LSN between two': [
      () => pitr.recoverToLsn(1.5, { targetPath }),
      'An LSN is a whole number from 1 on, not 1.5.',
    ],
    'an LSN in an estimate': [
      () => pitr.estimateRecovery({ lsn: nan }),
      'An LSN is a whole number from 1 on, not NaN.',
    ],
    'a moment': [() => pitr.recoverToTimestamp(nan, { targetPath }), 'NaN is not a moment that can be recovered to.'],
    'an LSN of a restore': [
      () => restores.restore({ state: { by: 'lsn', lsn: 1.5 }, targetPath }),
      '"state.lsn" must be a whole number, not 1.5.',
    ],
    'a moment beyond all dates': [
      () => restores.plan({ by: 'time', time: 1e300 }),
      '"time" must be at most 8640000000000000, not 1e+300.',
    ],
    'a range of restore points': [() => restores.listRestorePoints({ from: nan }), '"from" must be a number, not NaN.'],
    'a time of grace of engines': [
      () => RestoreManager.open({ ...places, database: 'app', engine: { graceMs: -5 } }),
      '"engine.graceMs" must be 0 or more, not -5.',
    ],
    'a number of backups at once': [
      () => BackupManager.open({ ...places, source, maxConcurrentBackups: 0.5 }),
      'maxConcurrentBackups is a whole number from 1 on, not 0.5.',
    ],
    'a retention policy': [
      () => backups.cleanupOldBackups({ retention: { daily: 0.5 } }),
      'This is no retention policy. "daily" must be a whole number, not 0.5.',
    ],
    'a time of grace of deletions': [
      () => backups.cleanupOldBackups({ graceMs: -1 }),
      '"graceMs" must be 0 or more, not -1.',
    ],
    'the present time': [() => backups.compact({ now: nan }), '"now" must be a number, not NaN.'],
    'a compression level': [() => backups.createFullBackup({ level: 1.5 }), '"level" must be a whole number, not 1.5.'],
    'a size of the log': [
      () => backups.follow({ handOff: { logBytes: nan } }),
      '"handOff.logBytes" must be a number, not NaN.',
    ],
    'a part of all backups': [() => backups.verify({ subset: nan }), '"subset" must be a number, not NaN.'],
    'a state of a drill': [
      () => backups.drill({ state: { by: 'lsn', lsn: 1.5 } }),
      '"state.lsn" must be a whole number, not 1.5.',
    ],
    'a length of the history': [() => backups.history({ limit: 0.5 }), '"limit" must be a whole number, not 0.5.'],
  }

  for (const [what, [work, says]] of Object.entries(refused))
    it(`is refused in plain words: ${what}`, async () => {
      await assert.rejects(work, (error) => {
        assert.ok(error instanceof HoldfastError, String(error))
        assert.equal(error.code, 'USAGE')
        assert.ok(error.message.startsWith(says), error.message)
        return true
      })
    })

  it('does not stop a capture, nor keeps it from being stopped', async () => {
    const live = await backups.follow({ stateFolder: folder.file('state') })
    await assert.rejects(live.stop({ waitMs: nan }), { code: 'USAGE', message: '"waitMs" must be a number, not NaN.' })
    assert.ok(live.isFollowing)
    assert.deepEqual(await live.stop(), { segments: 0, bytes: 0 })
  })
})
