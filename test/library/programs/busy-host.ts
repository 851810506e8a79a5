/** An application that makes so many backups: `busy-host.ts DATABASE REPOSITORY JOURNAL COUNT`. */
import { BackupManager, sqlite } from '../../../src/index.ts'

const [path = '', repository = '', journal = '', count = ''] = process.argv.slice(2)
await using backups = await BackupManager.open({ source: sqlite(path), repository, init: true, journal })
for (let i = 0; i < Number(count); i += 1) await backups.createFullBackup()
