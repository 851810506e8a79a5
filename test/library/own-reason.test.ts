import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { BackupManager, HoldfastError, RestoreManager, sqlite } from '../../src/index.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

describe('an abort with a reason of the application', () => {
  const folder = temporaryFolder()
  const places = { repository: folder.file('backups'), journal: false } as const
  let backups: BackupManager
  let restores: RestoreManager

  before(async () => {
    makeDatabase(folder.file('app.db'))
    backups = await BackupManager.open({ ...places, source: sqlite(folder.file('app.db')), init: true })
    await backups.createFullBackup()
    restores = await RestoreManager.open({ ...places, database: 'app' })
  })
  after(async () => {
    await restores.close()
    await backups.close()
    folder[Symbol.dispose]()
  })

  const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    'a backup': (signal) => backups.createFullBackup({ signal }),
    'a restore': (signal) => restores.restoreLatest({ targetPath: folder.file('out.db'), signal }),
    'a verification': (signal) => backups.verify({ signal }),
    'a drill': (signal) => backups.drill({ signal }),
    'a beginning of following': (signal) => backups.follow({ stateFolder: folder.file('state'), signal }),
  }
  for (const [what, call] of Object.entries(calls))
    for (const when of ['before', 'as soon as'] as const)
      it(`is told as one, ${when} it begins: ${what}`, async () => {
        const reason = new Error('no more time')
        const controller = new AbortController()
        if (when === 'before') controller.abort(reason)
        const work = call(controller.signal)
        controller.abort(reason)
        await assert.rejects(work, (error) => {
          assert.ok(error instanceof HoldfastError, String(error))
          assert.equal(error.code, 'ABORTED')
          return true
        })
      })
})
