import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BackupManager, RestoreManager, sqlite } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

describe('closing a manager', () => {
  it('waits for what runs, however often it is asked', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    const places = { repository: folder.file('backups'), journal: false } as const
    const backups = await BackupManager.open({ ...places, source: sqlite(folder.file('app.db')), init: true })
    let ended = ''
    const backup = backups.createFullBackup().then(() => {
      ended = 'backup'
    })
    void backups.close()
    await backups.close()
    assert.equal(ended, 'backup')
    await backup

    const restores = await RestoreManager.open({ ...places, database: 'app' })
    const restore = restores.restoreLatest({ targetPath: folder.file('out.db') }).then(() => {
      ended = 'restore'
    })
    void restores.close()
    await restores.close()
    assert.equal(ended, 'restore')
    await restore
  })

  it('leaves no timer behind that keeps the process', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'))
    const program = fileURLToPath(new URL('programs/closing-host.ts', import.meta.url))
    const host = spawn(process.execPath, [program, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said: string[] = []
    host.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text))
    assert.deepEqual(await once(host, 'close'), [0, null])
    assert.equal(said.join(''), '[]\n')
  })
})
