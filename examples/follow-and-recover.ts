// Follows a database that this very program writes to, and brings it back to the moment right before a mistake.
import { mkdtempSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { BackupManager, PointInTimeRecovery, sqlite } from 'holdfast'

// A folder of its own, so that it can be run again.
process.chdir(mkdtempSync('follow-and-recover-'))

const app = new DatabaseSync('app.db', { timeout: 5000 })
app.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS users (name TEXT)')

await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
const live = await backups.follow({ stateFolder: './state' })
live.on('gap', ({ reason }) => console.warn(`Commits were missed: ${reason}`))
live.on('error', (error) => console.error(`Following has ended: ${error.message}`))

app.exec("INSERT INTO users VALUES ('Ada')")
app.exec("INSERT INTO users VALUES ('Grace')")
const good = await live.sync()
console.log(`Everything up to LSN ${good} is in the repository.`)

app.exec('DELETE FROM users') // The mistake.
const { segments } = await live.stop()
console.log(`Stopped; ${segments} segments are left to upload.`)

await using pitr = await PointInTimeRecovery.open({ repository: './backups', database: 'app' })
const { windows } = await pitr.listRecoveryPoints()
for (const { fromLsn, toLsn } of windows) console.log(`Every commit from ${fromLsn} to ${toLsn} can be recovered.`)
const { durationMs } = await pitr.estimateRecovery({ lsn: good + 1, before: true })
console.log(`This will take about ${durationMs} ms.`)
const { recoveredTo, commitsReplayed, proof } = await pitr.recoverToLsn(good + 1, {
  before: true,
  targetPath: 'recovered.db',
})
console.log(
  `Recovered to LSN ${recoveredTo.lsn}, ${commitsReplayed} commits replayed, ${proof.pagesHashed} pages proved.`,
)

using recovered = new DatabaseSync('recovered.db', { readOnly: true })
console.log(recovered.prepare('SELECT name FROM users').all())
app.close()
