import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync } from 'node:fs'
import { afterEach, describe, it } from 'node:test'
import { BackupManager, RestoreManager, sqlite } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

describe('an application that changes its working folder', () => {
  const began = process.cwd()
  afterEach(() => process.chdir(began))

  it('goes on with the repository that it opened by a relative path', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    mkdirSync(folder.file('elsewhere'))
    process.chdir(folder.path)
    const options = { source: sqlite('app.db'), repository: './backups', init: true, journal: false } as const
    await using backups = await BackupManager.open(options)
    await backups.createFullBackup()

    process.chdir('elsewhere')
    // Another one lies there, under the same relative path, and it is empty.
    await using _ = await BackupManager.open(options)

    assert.equal((await backups.verify()).restorable.length, 1)
    assert.equal((await backups.drill()).verdict, 'passed')
    assert.equal((await backups.listBackups()).length, 1)
  })

  it('backs up, verifies and restores also when its working folder was removed', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    const repository = folder.file('backups')
    const options = { source: sqlite(folder.file('app.db')), repository, init: true, journal: false } as const
    await using backups = await BackupManager.open(options)
    mkdirSync(folder.file('release'))
    process.chdir(folder.file('release'))
    rmdirSync(folder.file('release'))

    await backups.createFullBackup()
    assert.ok((await backups.verify({ level: 'restore' })).ok)
    await using restores = await RestoreManager.open({ repository, database: 'app', journal: false })
    const { mode } = await restores.restoreLatest({ targetPath: folder.file('restored.db') })
    assert.equal(mode, 'create')
  })
})
