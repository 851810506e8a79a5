// An application with a SQLite database of its own: what the quickstart backs up while it runs.
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2], { timeout: 5000 })
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER NOT NULL);
  CREATE INDEX orders_by_customer ON orders (customer);
  CREATE TABLE ledger (last INTEGER NOT NULL, total INTEGER NOT NULL);
  INSERT INTO ledger VALUES (0, 0);
`)
const order = db.prepare('INSERT INTO orders (customer, amount) VALUES (?, ?)')
const ledger = db.prepare('UPDATE ledger SET last = last + ?, total = total + ?')

function sell(count) {
  db.exec('BEGIN')
  let total = 0
  for (let i = 0; i < count; i += 1) {
    const amount = 1 + Math.floor(Math.random() * 10_000)
    order.run(`customer-${Math.floor(Math.random() * 5_000)}`, amount)
    total += amount
  }
  ledger.run(count, total)
  db.exec('COMMIT')
}

for (let i = 0; i < 100; i += 1) sell(1_000)
console.log('ready')
process.stdin.on('data', () => {
  const time = new Date().toISOString()
  db.exec('BEGIN; DELETE FROM orders WHERE id % 2 = 0; COMMIT')
  console.log(time)
})
setInterval(() => sell(20), 2)
