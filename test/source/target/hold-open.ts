/** A process that keeps a database open without a transaction. Argument: its path. */
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2] ?? '')
db.prepare('SELECT count(*) FROM parent').get()
process.send?.('open')
setInterval(() => db.isOpen, 1000)
