import type { DatabaseSync } from 'node:sqlite'
import { type CommitStamp, markOf } from './commit-stamp.ts'
import type { LoadOptions } from './load-options.ts'
import { itemHash, noteHash, readOracle, toItem, toNote } from './oracle.ts'
import type { Random } from './random.ts'

/** One random transaction, which keeps the oracle's books as it goes. */
export class LoadTransaction {
  readonly #database: DatabaseSync
  readonly #random: Random
  readonly #rowLimit: number
  readonly #largest: number
  readonly #stamp: boolean
  readonly #seq: number
  #digest: bigint

  constructor(database: DatabaseSync, random: Random, options: LoadOptions) {
    this.#database = database
    this.#random = random
    this.#rowLimit = options.rows ?? 2000
    this.#largest = options.largest ?? 500
    this.#stamp = options.stamp ?? false
    const oracle = readOracle(database)
    this.#seq = oracle.seq + 1
    this.#digest = BigInt(oracle.digest)
  }

  run(): void {
    const kind = this.#random.below(100)
    if (kind < 5) this.#changeSchema()
    else if (kind === 5 && this.#largest > 500) this.#many(500 + this.#random.below(this.#largest - 500))
    else if (kind < 15) this.#many(200 + this.#random.below(300))
    else this.#many(1 + this.#random.below(6))
    if (this.#random.chance(20)) this.#withinSavepoint()
  }

  /** Writes the books; the last statement before COMMIT. */
  record(): CommitStamp {
    const stamp = { seq: this.#seq, mark: markOf(this.#digest) }
    this.#database
      .prepare('UPDATE oracle SET seq = ?, digest = ?')
      .run(this.#seq, BigInt.asUintN(64, this.#digest).toString())
    if (this.#stamp) this.#database.exec(`PRAGMA user_version = ${stamp.seq}; PRAGMA application_id = ${stamp.mark}`)
    return stamp
  }

  #many(count: number): void {
    for (let index = 0; index < count; index++) this.#one()
  }

  #one(): void {
    const newest = Number(this.#database.prepare('SELECT max(id) AS id FROM items').get()?.['id'] ?? 0)
    const choice = this.#random.below(100)
    const isFull = newest > 0 && this.#count() > this.#rowLimit
    if (newest === 0 || (choice < 45 && !isFull)) this.#insert(newest + 1 + this.#random.below(3))
    else if (choice < 75 && !isFull) this.#update(1 + this.#random.below(newest))
    else this.#remove(1 + this.#random.below(newest), isFull ? 50 : this.#random.below(4))
  }

  #count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM items').get()?.['n'])
  }

  #insert(id: number): void {
    const item = { id, seq: this.#seq, body: this.#body() }
    this.#database.prepare('INSERT INTO items VALUES (?, ?, ?)').run(id, item.seq, item.body)
    this.#digest += itemHash(item)
    if (!this.#random.chance(60)) return
    const note = { key: `${this.#random.below(1e9)} of ${id}`, item: id, seq: this.#seq }
    this.#database.prepare('INSERT INTO notes VALUES (?, ?, ?)').run(note.key, id, note.seq)
    this.#digest += noteHash(note)
  }

  #update(id: number): void {
    const row = this.#database.prepare('SELECT id, seq, body FROM items WHERE id >= ? LIMIT 1').get(id)
    if (row === undefined) return
    const old = toItem(row)
    const item = { id: old.id, seq: this.#seq, body: this.#random.chance(50) ? this.#body() : old.body }
    this.#database.prepare('UPDATE items SET seq = ?, body = ? WHERE id = ?').run(item.seq, item.body, item.id)
    this.#digest += itemHash(item) - itemHash(old)
  }

  #remove(from: number, count: number): void {
    const rows = this.#database.prepare('SELECT id, seq, body FROM items WHERE id >= ? LIMIT ?').all(from, count + 1)
    for (const old of rows.map(toItem)) {
      const notes = this.#database.prepare('SELECT key, item, seq FROM notes WHERE item = ?').all(old.id)
      for (const note of notes.map(toNote)) this.#digest -= noteHash(note)
      this.#database.prepare('DELETE FROM items WHERE id = ?').run(old.id)
      this.#digest -= itemHash(old)
    }
  }

  #withinSavepoint(): void {
    const before = this.#digest
    this.#database.exec('SAVEPOINT inner_work')
    this.#many(1 + this.#random.below(30))
    if (this.#random.chance(50)) {
      this.#database.exec('ROLLBACK TO inner_work')
      this.#digest = before
    }
    this.#database.exec('RELEASE inner_work')
  }

  #changeSchema(): void {
    const name = `extra_${this.#random.below(4)}`
    const exists = this.#database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
    if (exists) this.#database.exec(`DROP TABLE ${name}`)
    else
      this.#database.exec(`CREATE TABLE ${name} AS SELECT id, seq FROM items; CREATE INDEX ${name}_i ON ${name} (seq)`)
  }

  #body(): Uint8Array {
    return this.#random.bytes(this.#random.chance(3) ? this.#random.below(9000) : this.#random.below(300))
  }
}
