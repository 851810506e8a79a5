/** Backs up once, and says which timers are left then. */
import { BackupManager, sqlite } from '../../../src/index.ts'

const folder = process.argv[2] ?? ''
{
  const places = { repository: `${folder}/backups`, journal: false } as const
  await using backups = await BackupManager.open({ ...places, source: sqlite(`${folder}/app.db`), init: true })
  await backups.createFullBackup()
}
// The ends of processes and pipes are told of in turns of the loop of their own.
for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
console.log(JSON.stringify(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')))
