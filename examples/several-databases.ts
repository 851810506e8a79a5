// One database per customer: all are backed up, several at once; one that fails does not stop the others.
import { DatabaseSync } from 'node:sqlite'
import { BackupManager, HoldfastError, sqlite } from 'holdfast'

const customers = ['acme', 'globex', 'initech']
for (const customer of customers) {
  using database = new DatabaseSync(`${customer}.db`)
  database.exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT)')
}

await using backups = await BackupManager.open({
  sources: [...customers, 'no-such-customer'].map((customer) => sqlite(`${customer}.db`)),
  repository: './backups',
  init: true,
  maxConcurrentBackups: 2,
})
for (const outcome of await backups.createBackup({ type: 'full', tags: { by: 'nightly' } })) {
  if (outcome.status === 'fulfilled') console.log(`${outcome.database}: ${outcome.value.metadata.id}`)
  else if (outcome.reason instanceof HoldfastError) console.log(`${outcome.database}: ${outcome.reason.code}`)
}
console.log(`${(await backups.listBackups()).length} backups`)
