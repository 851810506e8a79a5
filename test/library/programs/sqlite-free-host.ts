import { writeFileSync } from 'node:fs'
import { BackupManager, MemoryStorage, RestoreManager, sqlite } from '../../../src/index.ts'

// An empty file is an empty database.
writeFileSync('app.db', '')
const repository = new MemoryStorage()
await using backups = await BackupManager.open({
  source: sqlite('app.db'),
  repository,
  init: true,
  journal: 'journal.db',
})
await backups.createFullBackup()
await backups.verify({ level: 'restore' })
await using restores = await RestoreManager.open({ repository, database: 'app' })
await restores.restoreLatest({ targetPath: 'restored.db' })

if ((await backups.history()).length !== 3) throw new Error('What was done is not recorded.')

const loaded: unknown = Reflect.get(process, 'moduleLoadList')
if (!Array.isArray(loaded) || !loaded.includes('NativeModule child_process'))
  throw new Error('The list of modules is gone.')
if (loaded.includes('NativeModule sqlite')) throw new Error('node:sqlite was loaded.')
console.log('restored without node:sqlite')
