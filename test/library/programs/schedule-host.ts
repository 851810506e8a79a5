/** An application with scheduled backups: `schedule-host.ts DATABASE REPOSITORY (let go|keep alive|close)`. */
import { BackupManager, sqlite } from '../../../src/index.ts'

const [, , path = '', repository = '', end = ''] = process.argv
const backups = await BackupManager.open({ source: sqlite(path), repository, init: true })
const id = await backups.scheduleBackups(end === 'keep alive' ? '1s' : 'daily', {
  keepAlive: end !== 'let go',
  onBackup: async () => {
    console.log('backed up')
    await backups.stopScheduledBackups(id)
  },
})
console.log('scheduled')
if (end === 'close') await backups.close()
process.on('exit', () => console.log('over'))
