import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { BackupManager, HoldfastError, initRepository, RestoreManager, sqlite, verifyBackups } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

/** As JavaScript would call it. */
function untyped(value: unknown): never {
  return value as never
}

describe('an option of the wrong type', () => {
  const folder = temporaryFolder()
  const repository = folder.file('backups')
  const path = folder.file('app.db')
  const places = { repository, journal: false } as const
  const targetPath = folder.file('out.db')
  let backups: BackupManager
  let restores: RestoreManager
  let oldest = ''

  before(async () => {
    makeDatabase(path)
    backups = await BackupManager.open({ ...places, source: sqlite(path), init: true })
    oldest = (await backups.createFullBackup()).metadata.id
    await backups.createFullBackup()
    restores = await RestoreManager.open({ ...places, database: 'app' })
  })
  after(async () => {
    await restores.close()
    await backups.close()
    folder[Symbol.dispose]()
  })

  const open = (options: object) => BackupManager.open(untyped({ ...places, source: sqlite(path), ...options }))
  const calls: Readonly<Record<string, () => unknown>> = {
    'a dry run of a deletion': () => backups.deleteBackup(oldest, untyped({ dryRun: 'true' })),
    'a forced deletion': () => backups.deleteBackup(oldest, untyped({ force: 'no' })),
    'a dry run of a cleanup': () =>
      backups.cleanupOldBackups(untyped({ dryRun: 1, retention: { last: 1 }, graceMs: 0 })),
    'a dry run of a compaction': () => backups.compact(untyped({ dryRun: 'yes' })),
    'a signal of a deletion': () => backups.deleteBackup(oldest, untyped({ signal: 'x' })),
    'a signal of a backup': () => backups.createFullBackup(untyped({ signal: {} })),
    'a listener of a backup': () => backups.createFullBackup(untyped({ onProgress: 'x' })),
    'the databases of a backup': () => backups.createBackup(untyped({ type: 'full', databases: null })),
    'a signal of a restore': () => restores.restoreLatest(untyped({ targetPath, signal: 1 })),
    'a listener of a restore': () => restores.restoreLatest(untyped({ targetPath, onProgress: true })),
    'a target with a zero byte': () => restores.restoreLatest({ targetPath: `${targetPath}\0` }),
    'a command with a zero byte': () => restores.restoreLatest({ targetPath, checkCommand: 'true\0' }),
    'a signal of a verification': () => backups.verify(untyped({ signal: 'x' })),
    'a listener of a verification': () => backups.verify(untyped({ onProgress: {} })),
    'a repository to verify': () => verifyBackups(untyped({ repository: 1 })),
    'a repository to make': () => initRepository(untyped({ url: 'file:///' })),
    'a repository of a manager': () => open({ repository: null }),
    'a misspelt policy': () => open({ retentoin: { last: 3 } }),
    'sources that are no array': () => open({ source: undefined, sources: 1 }),
    'a source and sources': () => open({ sources: [sqlite(path)] }),
    'a name of a database': () => open({ database: 5 }),
    'whether to make a repository': () => open({ init: 'no' }),
    'no options at all': () => BackupManager.open(untyped(null)),
    'a database to restore': () => RestoreManager.open(untyped({ ...places, database: 7 })),
    'a repository to restore from': () => RestoreManager.open(untyped({ database: 'app', repository: {} })),
    'an empty path': () => sqlite(''),
    'a path that is none': () => sqlite(untyped(null)),
    'a path with a zero byte': () => sqlite('a\0.db'),
  }

  for (const [what, call] of Object.entries(calls))
    it(`is refused, and nothing is done: ${what}`, async () => {
      await assert.rejects(
        async () => await call(),
        (error) => {
          assert.ok(error instanceof HoldfastError, String(error))
          assert.equal(error.code, 'USAGE', error.message)
          return true
        },
      )
      assert.equal((await backups.listBackups()).length, 2)
    })
})
