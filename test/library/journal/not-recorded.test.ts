/** What was never begun is in no history: docs/history.md says what is, and what is not. */
import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { it } from 'node:test'
import {
  BackupManager,
  hasCode,
  PointInTimeRecovery,
  RestoreManager,
  runDrill,
  sqlite,
  verifyBackups,
} from '../../../src/index.ts'
import { application } from './support/application.ts'

async function summaries(app: ReturnType<typeof application>): Promise<string[]> {
  return (await app.history()).map(({ kind, outcome, code = '-' }) => `${kind} ${outcome} ${code}`)
}

it('a manager that cannot be opened is not recorded, but a piece of work that cannot open its repository is', async () => {
  using app = application()
  const place = { repository: app.repository, journal: app.journal }
  const isMissing = (error: unknown) => hasCode(error, 'REPOSITORY_NOT_FOUND')
  await assert.rejects(BackupManager.open({ ...place, source: sqlite(app.path) }), isMissing)
  await assert.rejects(RestoreManager.open({ ...place, database: 'app' }), isMissing)
  await assert.rejects(PointInTimeRecovery.open({ ...place, database: 'app' }), isMissing)
  assert.deepEqual(await summaries(app), [])
  await assert.rejects(verifyBackups(place), isMissing)
  await assert.rejects(runDrill({ ...place, database: 'app' }), isMissing)
  assert.deepEqual(await summaries(app), ['verify failed REPOSITORY_NOT_FOUND', 'drill failed REPOSITORY_NOT_FOUND'])
})

it('what an open manager does while its repository is away is recorded', async () => {
  using app = application()
  await using backups = await app.open()
  renameSync(app.folder.file('backups'), app.folder.file('away'))
  await assert.rejects(backups.createFullBackup())
  renameSync(app.folder.file('away'), app.folder.file('backups'))
  const [init, backup, ...more] = await summaries(app)
  assert.deepEqual([init, more], ['init succeeded -', []])
  assert.match(backup ?? '', /^backup failed \w+$/)
})

it('a backup that is called off while it waits for its turn is not recorded', async () => {
  using app = application()
  {
    await using backups = await app.open()
    const first = backups.createFullBackup()
    const calledOff = new AbortController()
    const second = backups.createFullBackup({ signal: calledOff.signal })
    calledOff.abort()
    await assert.rejects(second, (error) => hasCode(error, 'ABORTED'))
    await first
  }
  assert.deepEqual(await summaries(app), ['init succeeded -', 'backup succeeded -'])
  const kinds = (await app.audit()).entries.map((entry) => JSON.stringify(entry))
  assert.equal(kinds.filter((text) => text.includes('"backup"')).length, 2, 'that one began, and that it ended')
})
