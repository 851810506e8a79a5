/**
 * The oracle: a database that says of itself what it should hold. Every transaction of the load writer keeps, in the same
 * transaction, its own number and the sum of the hashes of all rows. A copy that mixes two commits, or lacks a page, does
 * not add up.
 */
import { DatabaseSync } from 'node:sqlite'
import { hash64 } from '../../src/util/page-hash.ts'

export interface OracleOptions {
  readonly pageSize?: number
  readonly autoVacuum?: 'none' | 'full' | 'incremental'
  readonly journalMode?: 'wal' | 'delete' | 'truncate' | 'persist'
  readonly encoding?: 'UTF-8' | 'UTF-16le' | 'UTF-16be'
}

export function createOracleDatabase(path: string, options: OracleOptions = {}): void {
  using database = new DatabaseSync(path)
  database.exec(`
    PRAGMA page_size = ${options.pageSize ?? 4096};
    PRAGMA auto_vacuum = ${options.autoVacuum ?? 'none'};
    PRAGMA encoding = '${options.encoding ?? 'UTF-8'}';
    PRAGMA journal_mode = ${options.journalMode ?? 'wal'};
    CREATE TABLE oracle (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, digest TEXT NOT NULL);
    CREATE TABLE items (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX items_by_seq ON items (seq, id);
    CREATE TABLE notes (
      key TEXT PRIMARY KEY, item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE, seq INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX notes_by_item ON notes (item);
    INSERT INTO oracle VALUES (1, 0, '0');
  `)
}

export interface ItemRow {
  readonly id: number
  readonly seq: number
  readonly body: Uint8Array
}

export interface NoteRow {
  readonly key: string
  readonly item: number
  readonly seq: number
}

export function itemHash(row: ItemRow): bigint {
  return hash64(row.body, hash64(Buffer.from(`item ${row.id} ${row.seq}`)))
}

export function noteHash(row: NoteRow): bigint {
  return hash64(Buffer.from(`note ${row.key} ${row.item} ${row.seq}`))
}

/**
 * Proves that the file is sound and holds exactly the state of the commit whose number it carries; returns that number.
 * @throws an Error that says what is wrong
 */
export function checkOracle(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true })
  const findings = database
    .prepare('PRAGMA integrity_check')
    .all()
    .map((row) => String(row['integrity_check']))
  if (findings.join() !== 'ok') throw new Error(`${path}: integrity_check: ${findings.join('; ')}`)
  const orphans = database.prepare('PRAGMA foreign_key_check').all()
  if (orphans.length > 0) throw new Error(`${path}: ${orphans.length} foreign key violations`)
  const { seq, digest } = readOracle(database)
  const { actual, newest } = contentDigest(database)
  if (actual.toString() !== digest) throw new Error(`${path}: the rows are not those of commit ${seq}`)
  if (newest > seq) throw new Error(`${path}: a row of commit ${newest} in the state of commit ${seq}`)
  return seq
}

export function readOracle(database: DatabaseSync): { readonly seq: number; readonly digest: string } {
  const row = database.prepare('SELECT seq, digest FROM oracle').get()
  return { seq: Number(row?.['seq']), digest: String(row?.['digest']) }
}

function contentDigest(database: DatabaseSync): { readonly actual: bigint; readonly newest: number } {
  let actual = 0n
  let newest = 0
  for (const row of database.prepare('SELECT id, seq, body FROM items').iterate()) {
    const item = toItem(row)
    actual += itemHash(item)
    newest = Math.max(newest, item.seq)
  }
  for (const row of database.prepare('SELECT key, item, seq FROM notes').iterate()) {
    const note = toNote(row)
    actual += noteHash(note)
    newest = Math.max(newest, note.seq)
  }
  return { actual: BigInt.asUintN(64, actual), newest }
}

export function toItem(row: Record<string, unknown>): ItemRow {
  const body = row['body']
  if (!(body instanceof Uint8Array)) throw new Error('An item without a body.')
  return { id: Number(row['id']), seq: Number(row['seq']), body }
}

export function toNote(row: Record<string, unknown>): NoteRow {
  return { key: String(row['key']), item: Number(row['item']), seq: Number(row['seq']) }
}
