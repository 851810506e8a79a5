import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { CreateBackupOptions } from '../../../src/backup/backup-options.ts'
import { createBackup } from '../../../src/backup/create-backup.ts'
import type { BackupManifest } from '../../../src/repository/manifest.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'

/** A backup, and the bytes of the database file when it was made. */
export interface KnownBackup {
  readonly metadata: BackupManifest
  readonly image: Buffer
  readonly warnings: readonly string[]
}

export interface SampleShape {
  readonly pageSize?: number
  readonly rows?: number
}

/**
 * A small database without writers, in rollback mode: its file is its state, byte for byte.
 * Its tables refer to one another; every {@link change} alters some pages of many.
 */
export class SampleDatabase {
  readonly name: string
  readonly path: string
  #changes = 0

  constructor(folder: string, name = 'app', { pageSize = 1024, rows = 300 }: SampleShape = {}) {
    this.name = name
    this.path = join(folder, `${name}.db`)
    this.run(`
      PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = delete;
      CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
      CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users, note BLOB);
      CREATE INDEX orders_by_user ON orders (user);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
        INSERT INTO users SELECT i, '${name} ' || i FROM n;
      INSERT INTO orders SELECT id, id, randomblob(200) FROM users`)
  }

  run(sql: string): this {
    using database = new DatabaseSync(this.path, { enableForeignKeyConstraints: false })
    database.exec('PRAGMA synchronous = off')
    database.exec(sql)
    return this
  }

  /** Commits something that no state before it held. */
  change(): this {
    this.#changes += 1
    return this.run(`
      UPDATE orders SET note = randomblob(200) WHERE id % 37 = ${this.#changes % 37};
      INSERT INTO orders SELECT max(id) + 1, 1, 'change ${this.#changes} of ${this.name}' FROM orders`)
  }

  image(): Buffer {
    return readFileSync(this.path)
  }

  async backup(repository: Repository, options: CreateBackupOptions): Promise<KnownBackup> {
    const { metadata, warnings } = await createBackup(sqlite(this.path), repository, options)
    return { metadata, warnings, image: this.image() }
  }
}

/** full ← incremental ← snapshot, then a second full ← incremental; the database changes before each. */
export async function backupChains(database: SampleDatabase, repository: Repository): Promise<KnownBackup[]> {
  const chain: CreateBackupOptions[] = [
    { type: 'full' },
    { type: 'incremental' },
    { type: 'snapshot', name: 'before-migration' },
    { type: 'full' },
    { type: 'incremental', name: 'nightly' },
  ]
  const known: KnownBackup[] = []
  for (const options of chain) known.push(await database.change().backup(repository, options))
  return known
}
