import assert from 'node:assert/strict'
import { it } from 'node:test'
import { BackupManager, type ProgressReport, RestoreManager, sqlite } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

class Reports {
  readonly #last = new Map<string, ProgressReport>()

  readonly note = (report: ProgressReport): void => {
    const before = this.#last.get(report.phase)
    assert.ok(before === undefined || before.done <= report.done, `${report.phase} went back`)
    this.#last.set(report.phase, report)
  }

  /** The phases whose end is known, which all must have come to it. */
  get ended(): string[] {
    const counted = [...this.#last.values()].filter(({ total }) => total !== undefined)
    for (const { phase, done, total } of counted) assert.equal(done, total, `${phase} ended at ${done} of ${total}`)
    return counted.map(({ phase }) => phase)
  }
}

it('progress never goes back, and every phase that has an end comes to it', async () => {
  using folder = temporaryFolder()
  makeDatabase(folder.file('app.db'))
  const places = { repository: folder.file('backups'), journal: false } as const
  await using backups = await BackupManager.open({ ...places, source: sqlite(folder.file('app.db')), init: true })
  const backup = new Reports()
  await backups.createFullBackup({ onProgress: backup.note })
  assert.deepEqual(backup.ended, ['copy', 'verify', 'commit'])
  await backups.createFullBackup()

  const verification = new Reports()
  await backups.verify({ level: 'restore', onProgress: verification.note })
  assert.deepEqual(verification.ended, ['metadata', 'data', 'restore'])

  await using restores = await RestoreManager.open({ ...places, database: 'app' })
  const restore = new Reports()
  await restores.restoreLatest({ targetPath: folder.file('out.db'), onProgress: restore.note })
  assert.deepEqual(restore.ended, ['fetch', 'prove', 'commit'])
})
