/** The process behind `counting-process.ts`. */
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'

const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 10_000 })
database.exec('PRAGMA synchronous = off')
process.on('disconnect', () => process.exit())
process.send?.('ready')
for (let count = 1; ; count++) {
  database.exec(`PRAGMA user_version = ${count}`)
  if (count % 1000 === 0) await setImmediate()
}
