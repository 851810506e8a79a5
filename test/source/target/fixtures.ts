/** Databases to restore, and what is known of them. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { DatabaseFacts } from '../../../src/source/facts.ts'
import { inspectDatabase } from '../../../src/source/sqlite/inspect/inspect-database.ts'
import type { RestoreTarget } from '../../../src/source/target.ts'
import { lockPage } from '../../../src/util/lock-page.ts'
import { pageHash } from '../../../src/util/page-hash.ts'

export class TestFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'holdfast-target-'))

  file(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export interface DatabaseShape {
  readonly pageSize?: number
  readonly wal?: boolean
  readonly rows?: number
  /** Rows differ from one seed to another; every tenth row does not. */
  readonly seed?: number
}

/** Makes a database with an index, a foreign key and `rows` rows of some 200 bytes. */
export function makeDatabase(
  path: string,
  { pageSize = 4096, wal = false, rows = 500, seed = 1 }: DatabaseShape,
): void {
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = ${wal ? 'WAL' : 'DELETE'}; PRAGMA synchronous = OFF`)
  db.exec(`CREATE TABLE parent(id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1);
    CREATE TABLE item(id INTEGER PRIMARY KEY, parent REFERENCES parent(id), seed, body TEXT); CREATE INDEX by_body ON item(body)`)
  const insert = db.prepare('INSERT INTO item VALUES (?, 1, ?, ?)')
  db.exec('BEGIN')
  for (let id = 1; id <= rows; id += 1) {
    const own = id % 10 === 0 ? 0 : seed
    insert.run(id, seed, `${(id * 7919 * (own + 1)) % 1000003}-${own}`.padEnd(200, 'abcdefghij'))
  }
  db.exec('COMMIT')
  db.close()
}

/** Damage of a kind that `quick_check` passes over: a row that its index has otherwise. */
export function breakIndex(path: string): void {
  const withSchema = (work: (db: DatabaseSync) => void) => {
    using db = new DatabaseSync(path)
    db.enableDefensive(false)
    db.exec('PRAGMA writable_schema = 1')
    work(db)
  }
  let entry: Record<string, SQLOutputValue> = {}
  withSchema((db) => {
    entry = db.prepare("SELECT * FROM sqlite_schema WHERE name = 'by_body'").get() ?? {}
    db.exec("DELETE FROM sqlite_schema WHERE name = 'by_body'")
  })
  withSchema((db) => db.exec("UPDATE item SET body = 'not as in the index' WHERE id = 7"))
  withSchema((db) => {
    const insert = db.prepare('INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)')
    insert.run(...['type', 'name', 'tbl_name', 'rootpage', 'sql'].map((column) => entry[column] ?? null))
  })
}

/** A database as a killed application leaves it: the last commit stands only in `<path>-wal`. */
export function makeDatabaseWithLog(path: string, shape: DatabaseShape): void {
  const origin = `${path}.origin`
  makeDatabase(origin, { ...shape, wal: true })
  const db = new DatabaseSync(origin)
  db.exec('PRAGMA wal_autocheckpoint = 0; INSERT INTO parent VALUES (77)')
  copyFileSync(origin, path)
  copyFileSync(`${origin}-wal`, `${path}-wal`)
  db.close()
  rmSync(origin)
}

export interface WantedState {
  readonly bytes: Buffer
  readonly pageSize: number
  readonly pageCount: number
  readonly state: bigint
  readonly facts: DatabaseFacts | undefined
}

export function stateOf(bytes: Buffer, pageSize: number): bigint {
  let state = 0n
  for (let page = 1; page <= bytes.length / pageSize; page += 1) {
    if (page !== lockPage(pageSize)) state += pageHash(page, bytes.subarray((page - 1) * pageSize, page * pageSize))
  }
  return BigInt.asUintN(64, state)
}

/** Makes a database beside nothing else, and tells all about it. */
export function wantedState(folder: TestFolder, shape: DatabaseShape, name = 'wanted.db'): WantedState {
  const path = folder.file(name)
  makeDatabase(path, shape)
  const wanted = wantedFrom(path)
  rmSync(path)
  return wanted
}

export function wantedFrom(path: string): WantedState {
  const db = new DatabaseSync(path)
  const { facts } = inspectDatabase(db, { validation: 'none', rowCounts: true, throwIfCancelled: () => undefined })
  db.close()
  const bytes = readFileSync(path)
  return { bytes, pageSize: facts.pageSize, pageCount: facts.pageCount, state: stateOf(bytes, facts.pageSize), facts }
}

/** Writes the wanted pages, `perBatch` at once; in delta mode only those that differ. Returns how many were written. */
export async function writeWanted(target: RestoreTarget, wanted: WantedState, perBatch = 16): Promise<number> {
  const { pageSize, pageCount, bytes } = wanted
  const right = new Set<number>()
  for await (const { pages, hashes } of target.currentHashes?.() ?? []) {
    for (const [index, page] of pages.entries()) {
      if (page > pageCount) continue
      if (pageHash(page, bytes.subarray((page - 1) * pageSize, page * pageSize)) === hashes[index]) right.add(page)
    }
  }
  const all = Array.from({ length: pageCount }, (_, index) => index + 1)
  const pages = all.filter((page) => !right.has(page) && page !== lockPage(pageSize))
  for (let start = 0; start < pages.length; start += perBatch) {
    const some = pages.slice(start, start + perBatch)
    const values = Buffer.concat(some.map((page) => bytes.subarray((page - 1) * pageSize, page * pageSize)))
    await target.write(Uint32Array.from(some), values)
  }
  return pages.length
}

/** What SQLite reads from the file, as one value; opening it rolls back and recovers what a crash left. */
export function contentOf(path: string): string {
  const db = new DatabaseSync(path)
  try {
    const check = db.prepare('PRAGMA integrity_check').get()?.['integrity_check']
    const rows = db.prepare('SELECT * FROM item ORDER BY id').all()
    const parents = db.prepare('SELECT * FROM parent ORDER BY id').all()
    return JSON.stringify({ check, parents, rows })
  } finally {
    db.close()
  }
}

export function sidecarsOf(path: string): string[] {
  return ['-wal', '-shm', '-journal'].filter((suffix) => existsSync(path + suffix))
}

/** Like deepEqual, which takes minutes to describe how two large buffers differ. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, message = 'the bytes'): void {
  if (Buffer.compare(actual, expected) === 0) return
  const at = expected.findIndex((byte, index) => actual[index] !== byte)
  const where = at === -1 ? 'at the end' : `at byte ${at}`
  assert.fail(`${message}: ${actual.length} of ${expected.length} bytes, first difference ${where}`)
}
