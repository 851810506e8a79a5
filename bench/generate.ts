/** Databases whose content compresses like that of an application: about 2.3 to 1 with `zstd -1`. */
import { DatabaseSync } from 'node:sqlite'
import { SeededRandom } from './random.ts'

const words: readonly [string, ...string[]] = [
  'table',
  ...['account', 'address', 'amount', 'blue', 'box', 'city', 'cotton', 'delivery', 'door', 'early', 'engine', 'field'],
  ...['garden', 'green', 'harbour', 'house', 'invoice', 'iron', 'kitchen', 'lamp', 'large', 'late', 'letter', 'light'],
  ...['market', 'metal', 'morning', 'north', 'office', 'order', 'paper', 'parcel', 'price', 'quick', 'red', 'river'],
  ...['road', 'round', 'silver', 'small', 'south', 'steel', 'stone', 'street', 'summer', 'sugar', 'water', 'winter'],
]
const states = ['new', 'paid', 'packed', 'sent', 'delivered', 'returned'] as const
const kinds = ['view', 'search', 'cart', 'checkout', 'login', 'logout'] as const

const schema = `
  CREATE TABLE customers(id INTEGER PRIMARY KEY, key BLOB NOT NULL, name TEXT, email TEXT, city TEXT, created INTEGER);
  CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers(id), key BLOB NOT NULL,
    state TEXT, cents INTEGER, placed INTEGER, changed INTEGER, note TEXT);
  CREATE TABLE events(id INTEGER PRIMARY KEY, customer INTEGER, at INTEGER, body TEXT);
  CREATE INDEX customers_by_email ON customers(email);
  CREATE INDEX orders_by_customer ON orders(customer, placed);
`

const ordersARound = 20_000
const firstTime = 1_700_000_000_000

/** Writes a new database of at least `bytes` bytes. The same seed gives the same rows. */
export function generateDatabase(path: string, bytes: number, seed = 1): void {
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${schema}`)
    const random = new SeededRandom(seed)
    const rows = new Rows(database, random)
    while (databaseBytes(database) < bytes) {
      database.exec('BEGIN')
      for (let round = 0; round < ordersARound; round++) {
        if (round % 5 === 0) rows.addCustomer()
        rows.addOrder()
        rows.addEvent()
      }
      database.exec('COMMIT')
    }
    database.exec('PRAGMA journal_mode = WAL')
  } finally {
    database.close()
  }
}

function databaseBytes(database: DatabaseSync): number {
  return Number(
    database.prepare('SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size').get()?.['n'],
  )
}

class Rows {
  readonly #random: SeededRandom
  readonly #customer
  readonly #order
  readonly #event
  #customers = 0
  #time = firstTime

  constructor(database: DatabaseSync, random: SeededRandom) {
    this.#random = random
    this.#customer = database.prepare('INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)')
    this.#order = database.prepare('INSERT INTO orders VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)')
    this.#event = database.prepare('INSERT INTO events VALUES (NULL, ?, ?, ?)')
  }

  addCustomer(): void {
    const [first, last] = [this.#word(), this.#word()]
    const id = ++this.#customers
    const email = `${first}.${last}${this.#random.below(100_000)}@${this.#word()}.example`
    this.#customer.run(id, this.#random.bytes(16), `${first} ${last}`, email, this.#word(), this.#time)
  }

  addOrder(): void {
    const random = this.#random
    this.#time += random.below(20_000)
    const note = random.below(3) === 0 ? null : this.#text(4 + random.below(16))
    const cents = random.below(500_000)
    this.#order.run(this.#someone(), random.bytes(16), random.pick(states), cents, this.#time, this.#time, note)
  }

  addEvent(): void {
    const random = this.#random
    const body = {
      kind: random.pick(kinds),
      page: `/${this.#word()}/${this.#word()}/${random.below(10_000)}`,
      milliseconds: random.below(3_000),
      session: random.below(2 ** 32).toString(16),
      words: [this.#word(), this.#word(), this.#word()],
      more: {
        referrer: `https://${this.#word()}.example/`,
        width: 320 + random.below(1600),
        returning: random.below(2) === 1,
      },
    }
    this.#event.run(this.#someone(), this.#time, JSON.stringify(body))
  }

  #someone(): number {
    return 1 + this.#random.below(this.#customers)
  }

  #word(): string {
    return this.#random.pick(words)
  }

  #text(count: number): string {
    return Array.from({ length: count }, () => this.#word()).join(' ')
  }
}
