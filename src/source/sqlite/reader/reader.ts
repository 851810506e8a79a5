import { readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../../errors.ts'
import type { Inspection, ValidationLevel } from '../../source.ts'
import { inspectDatabase } from '../inspect/inspect-database.ts'
import { readNumber, readText } from '../inspect/pragma.ts'
import { backfilledFrames, intactHeader, walIndexBytes } from '../log/wal-index.ts'
import { resultCode, sqliteCode } from '../sqlite-error.ts'
import type { Patience } from './patience.ts'
import type { Begun, Opened, PinnedHorizon } from './protocol.ts'

/** The SQLite connection of a snapshot. It never writes: `query_only` is on, and it is read-only unless told otherwise. */
export class Reader implements Disposable {
  readonly #database: DatabaseSync
  readonly #sharedMemory = Buffer.alloc(walIndexBytes)

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Connects and reads once, so that `-wal` and `-shm` are in place (or a hot journal is rolled back) afterwards. */
  static open(path: string, access: 'read-only' | 'read-write', patience: Patience): Reader {
    const location = pathToFileURL(path)
    // Without a mode, a file that vanished meanwhile would be made anew, empty.
    location.searchParams.set('mode', access === 'read-only' ? 'ro' : 'rw')
    const database = new DatabaseSync(location, { readOnly: access === 'read-only', timeout: 0 })
    try {
      database.exec('PRAGMA query_only = 1; PRAGMA trusted_schema = 0')
      patience.whileBusy(() => firstRead(database))
    } catch (thrown) {
      database.close()
      throw thrown
    }
    return new Reader(database)
  }

  describe(): Opened {
    const version = this.#database.prepare('SELECT sqlite_version() AS version').get()?.['version']
    return { engineVersion: String(version), usesLog: this.#usesLog() }
  }

  /** Begins the read transaction that holds the state, and in WAL mode proves at which frame of the log it stands. */
  begin(sharedMemory: number | undefined, patience: Patience): Begun {
    this.#rollback()
    for (let retries = 0; ; retries++) {
      const before = sharedMemory === undefined ? undefined : this.#readIndex(sharedMemory)
      patience.whileBusy(() => this.#beginTransaction())
      const after = sharedMemory === undefined ? undefined : this.#readIndex(sharedMemory)
      const usesLog = this.#usesLog()
      const isProven = before !== undefined && after?.header.equals(before.header) === true
      if (!usesLog || sharedMemory === undefined || isProven) {
        const pageSize = readNumber(this.#database, 'page_size')
        const pageCount = readNumber(this.#database, 'page_count')
        return { usesLog, horizon: usesLog && isProven ? after : undefined, pageSize, pageCount, retries }
      }
      this.#database.exec('ROLLBACK')
      patience.throwIfOver(
        () =>
          new HoldfastError('DATABASE_BUSY', 'Other processes commit so fast that no commit could be held.', {
            hint: 'Give it more time (busy timeout), or run it when fewer transactions are being committed.',
          }),
      )
    }
  }

  inspect(validation: ValidationLevel, rowCounts: boolean, throwIfCancelled: () => void): Inspection {
    const inspection = inspectDatabase(this.#database, { validation, rowCounts, throwIfCancelled })
    // SQLite ends a transaction by itself after some I/O errors; what was read since is of another state.
    if (!this.#database.isTransaction) {
      throw new HoldfastError('DATABASE_CHANGED', 'SQLite gave up its hold on the database after a read error.')
    }
    return inspection
  }

  [Symbol.dispose](): void {
    this.#rollback()
    this.#database.close()
  }

  #beginTransaction(): void {
    this.#database.exec('BEGIN')
    try {
      this.#database.prepare('PRAGMA schema_version').get()
    } catch (thrown) {
      this.#rollback()
      throw thrown
    }
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  #usesLog(): boolean {
    return readText(this.#database, 'journal_mode') === 'wal'
  }

  /**
   * Two equal headers around BEGIN prove that SQLite's snapshot is that very header's: every commit and every reset of the
   * log changes it (a change counter, the salts), and SQLite itself took a copy in between.
   *
   * The count of backfilled frames is read *before* the header, because a reset writes the header first and then clears the
   * count: so, once the header has proved equal, the count belongs to the same log and not to the one after it.
   */
  #readIndex(descriptor: number): (PinnedHorizon & { readonly header: Buffer }) | undefined {
    const countOffset = walIndexBytes - 4
    if (readSync(descriptor, this.#sharedMemory, countOffset, 4, countOffset) < 4) return undefined
    const backfilled = backfilledFrames(this.#sharedMemory)
    if (readSync(descriptor, this.#sharedMemory, 0, countOffset, 0) < countOffset) return undefined
    const header = intactHeader(this.#sharedMemory)
    return header && { header: Buffer.from(header), backfilled }
  }
}

/** `schema_version` reads the first page and needs no intact schema. */
function firstRead(database: DatabaseSync): void {
  try {
    database.prepare('PRAGMA schema_version').get()
    database.prepare('PRAGMA journal_mode').get()
  } catch (thrown) {
    if (sqliteCode(thrown) !== resultCode.corrupt) throw thrown
    // A damaged schema, or a file cut short: this setting of the connection (nothing is written) lets SQLite go on
    // regardless, so that a damaged database can be backed up and described.
    database.enableDefensive(false)
    database.exec('PRAGMA writable_schema = 1')
    database.prepare('PRAGMA schema_version').get()
    database.prepare('PRAGMA journal_mode').get()
  }
}
