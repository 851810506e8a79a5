/** Commits without end: each transaction adds an order and its user; some are rolled back. */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 5000 })
for (let round = 0; ; round += 1) {
  database.exec(`BEGIN IMMEDIATE;
    INSERT INTO users (name) VALUES ('written');
    INSERT INTO orders (user, note) VALUES (last_insert_rowid(), randomblob(200));
    ${round % 5 === 4 ? 'ROLLBACK' : 'COMMIT'}`)
  if (round === 3) process.stdout.write('writing\n')
  await sleep(1)
}
