// Backs up a database that this very program keeps open and writes to, and gets it back as it was before a mistake.
import { mkdtempSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { BackupManager, RestoreManager, sqlite } from 'holdfast'

// A folder of its own, so that it can be run again.
process.chdir(mkdtempSync('back-up-and-restore-'))

const app = new DatabaseSync('app.db')
app.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS users (name TEXT)')
app.exec("INSERT INTO users VALUES ('Ada'), ('Grace')")

await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
const { metadata } = await backups.createFullBackup()
console.log(`Full backup ${metadata.id}: ${metadata.databaseBytes} bytes, ${metadata.storedBytes} stored.`)

app.exec("INSERT INTO users VALUES ('Edsger')")
await backups.createSnapshotBackup({ name: 'before-migration' })
app.exec('DELETE FROM users') // The mistake.

await using restores = await RestoreManager.open({ repository: './backups', database: 'app' })
const state = { by: 'name', name: 'before-migration' } as const
const { proof, durationMs } = await restores.restore({ state, targetPath: 'recovered.db' })
console.log(
  `Restored in ${durationMs} ms; checked: ${proof?.validation.level}, tables compared: ${proof?.tablesCompared}.`,
)

using recovered = new DatabaseSync('recovered.db', { readOnly: true })
console.log(recovered.prepare('SELECT name FROM users').all())
app.close()
