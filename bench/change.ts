/** Changes a wanted part of a database's pages, as an application would in the time between two backups. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SeededRandom } from './random.ts'

const pageSize = 4096
const chunkBytes = 1 << 20

/**
 * Rows of `orders` change their state and time, most of them recent ones and the rest anywhere; events are added at the end.
 * Goes on until at least 97 % of the wanted part of the pages differ from `original`.
 */
export function changePages(path: string, original: string, part: number, seed = 2): void {
  const random = new SeededRandom(seed)
  const wanted = Math.floor((fileBytes(original) / pageSize) * part)
  for (let changed = 0; changed < 0.97 * wanted; changed = changedPages(original, path).length) {
    const database = new DatabaseSync(path)
    try {
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
      changeRows(database, random, wanted - changed)
      database.exec('COMMIT; PRAGMA journal_mode = WAL')
    } finally {
      database.close()
    }
  }
}

function changeRows(database: DatabaseSync, random: SeededRandom, pages: number): void {
  const newest = Number(database.prepare('SELECT max(id) AS id FROM orders').get()?.['id'])
  const update = database.prepare("UPDATE orders SET state = 'returned', changed = changed + ? WHERE id = ?")
  const insert = database.prepare('INSERT INTO events SELECT NULL, customer, at + ?, body FROM events WHERE id = ?')
  for (let round = 0; round < pages; round++) {
    // Two of three changes fall on the newest third of the orders.
    const recent = random.below(3) > 0
    const id = recent ? newest - random.below(Math.ceil(newest / 3)) : 1 + random.below(newest)
    update.run(random.below(10_000), id)
    if (round % 4 === 0) insert.run(random.below(10_000), 1 + random.below(newest))
  }
}

/** Numbers of the pages of `path` that differ from those of `original`, or are new. */
export function changedPages(original: string, path: string): number[] {
  const [before, after] = [openSync(original, 'r'), openSync(path, 'r')]
  try {
    const changed: number[] = []
    const [old, now] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)]
    const size = fstatSync(after).size
    for (let offset = 0; offset < size; offset += chunkBytes) {
      const read = readSync(after, now, 0, chunkBytes, offset)
      const had = readSync(before, old, 0, chunkBytes, offset)
      for (let at = 0; at < read; at += pageSize) {
        const same = at < had && now.compare(old, at, at + pageSize, at, at + pageSize) === 0
        if (!same) changed.push((offset + at) / pageSize + 1)
      }
    }
    return changed
  } finally {
    closeSync(before)
    closeSync(after)
  }
}

/** Nothing but those pages, one after the other: what an incremental backup cannot do without. */
export function extractPages(path: string, pages: readonly number[], target: string): void {
  const [from, to] = [openSync(path, 'r'), openSync(target, 'w')]
  try {
    const page = Buffer.alloc(pageSize)
    for (const number of pages) {
      readSync(from, page, 0, pageSize, (number - 1) * pageSize)
      writeSync(to, page)
    }
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

function fileBytes(path: string): number {
  const file = openSync(path, 'r')
  try {
    return fstatSync(file).size
  } finally {
    closeSync(file)
  }
}
