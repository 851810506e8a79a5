/** A process that commits a row, and is killed before it can close the database. Argument: its path. */
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2] ?? '')
db.exec('INSERT INTO parent VALUES (4711)')
process.kill(process.pid, 'SIGKILL')
