// Shows how far a backup is, gives up after a minute, and says what went wrong.
import { DatabaseSync } from 'node:sqlite'
import { BackupError, BackupManager, sqlite } from 'holdfast'

using app = new DatabaseSync('app.db')
app.exec('CREATE TABLE IF NOT EXISTS log (line BLOB)')
for (let line = 0; line < 1000; line++) app.exec('INSERT INTO log VALUES (randomblob(4000))')

await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
try {
  await backups.createFullBackup({
    signal: AbortSignal.timeout(60_000),
    onProgress: ({ phase, done, total, unit, remainingMs }) => {
      const left = remainingMs === undefined ? '' : `, ${Math.ceil(remainingMs / 1000)} s left`
      console.log(`${phase}: ${done} of ${total ?? '?'} ${unit}${left}`)
    },
  })
} catch (error) {
  if (!(error instanceof BackupError)) throw error
  const { phase, bytesRead } = error.partialBackup
  console.error(`${error.code} while ${phase}, after ${bytesRead} bytes: ${error.message} ${error.hint ?? ''}`)
}
