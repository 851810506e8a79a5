/** What an application does to a generated database (generate.ts), one transaction after the other. */
import type { DatabaseSync } from 'node:sqlite'
import { SeededRandom } from '../random.ts'

export const workloadNames = ['row updates', 'text updates', 'mixed', 'inserts', 'bulk load'] as const
export type WorkloadName = (typeof workloadNames)[number]

const states = ['new', 'paid', 'packed', 'sent', 'delivered', 'returned'] as const
const bulkRows = 20_000

/** Runs one transaction and commits it. */
export type Transaction = () => void

/** Rows are chosen by the seed, all over the table. */
export function openWorkload(database: DatabaseSync, name: WorkloadName, seed: number): Transaction {
  const work = bodies[name](database, new SeededRandom(seed))
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')]
  return () => {
    begin.run()
    work()
    commit.run()
  }
}

const bodies: Readonly<Record<WorkloadName, (database: DatabaseSync, random: SeededRandom) => () => void>> = {
  /** Three orders get other cents and another time of change: numbers that no index holds, and as long as before. */
  'row updates': (database, random) => {
    const orders = newest(database, 'orders')
    const update = database.prepare(
      'UPDATE orders SET cents = cents - cents % 100 + ?, changed = changed + ? WHERE id = ?',
    )
    return () => {
      for (let row = 0; row < 3; row++) {
        update.run(random.below(100), 1 + random.below(1_000_000), 1 + random.below(orders))
      }
    }
  },
  /** Three orders change their state too, a word: the row gets longer or shorter, and others in its page move. */
  'text updates': (database, random) => {
    const change = orderChange(database, random)
    return () => {
      for (let row = 0; row < 3; row++) change()
    }
  },
  /** An order comes in, one changes its state, an event is noted; now and then a customer comes or an old event goes. */
  mixed: (database, random) => {
    const rows = new Inserts(database, random)
    const change = orderChange(database, random)
    const remove = database.prepare('DELETE FROM events WHERE id = ?')
    return () => {
      rows.addOrder()
      change()
      rows.addEvent()
      if (random.below(5) === 0) rows.addCustomer()
      if (random.below(5) === 0) remove.run(1 + random.below(rows.events))
    }
  },
  /** Three orders: each at the end of its table, and somewhere in the index by customer. */
  inserts: (database, random) => {
    const rows = new Inserts(database, random)
    return () => {
      for (let row = 0; row < 3; row++) rows.addOrder()
    }
  },
  'bulk load': (database, random) => {
    const rows = new Inserts(database, random)
    return () => {
      for (let row = 0; row < bulkRows; row++) rows.addOrder()
    }
  },
}

function orderChange(database: DatabaseSync, random: SeededRandom): () => void {
  const orders = newest(database, 'orders')
  const update = database.prepare('UPDATE orders SET state = ?, changed = changed + ? WHERE id = ?')
  return () => {
    update.run(random.pick(states), 1 + random.below(1_000_000), 1 + random.below(orders))
  }
}

/** Copies of rows that are there, with another key and time. */
class Inserts {
  readonly #random: SeededRandom
  readonly #customers: number
  readonly #order
  readonly #event
  readonly #customer
  #time: number
  readonly events: number

  constructor(database: DatabaseSync, random: SeededRandom) {
    this.#random = random
    this.#customers = newest(database, 'customers')
    this.events = newest(database, 'events')
    this.#time = 1_800_000_000_000
    this.#order = database.prepare(
      `INSERT INTO orders SELECT NULL, ?, ?, 'new', ?, ?, ?, note FROM orders WHERE id = ?`,
    )
    this.#event = database.prepare('INSERT INTO events SELECT NULL, ?, ?, body FROM events WHERE id = ?')
    this.#customer = database.prepare(
      'INSERT INTO customers SELECT NULL, ?, name, ? || email, city, ? FROM customers WHERE id = ?',
    )
  }

  addOrder(): void {
    const random = this.#random
    const note = 1 + random.below(this.events)
    const cents = random.below(500_000)
    this.#order.run(this.#someone(), random.bytes(16), cents, this.#tick(), this.#time, note)
  }

  addEvent(): void {
    this.#event.run(this.#someone(), this.#tick(), 1 + this.#random.below(this.events))
  }

  addCustomer(): void {
    const random = this.#random
    this.#customer.run(random.bytes(16), random.below(100_000), this.#tick(), this.#someone())
  }

  #someone(): number {
    return 1 + this.#random.below(this.#customers)
  }

  #tick(): number {
    this.#time += this.#random.below(20_000)
    return this.#time
  }
}

function newest(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT max(id) AS id FROM ${table}`).get()?.['id'])
}
