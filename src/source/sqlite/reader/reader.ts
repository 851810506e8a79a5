import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../../errors.ts'
import type { Inspection, ValidationLevel } from '../../source.ts'
import { enlargeCache } from '../inspect/check-cache.ts'
import { inspectDatabase } from '../inspect/inspect-database.ts'
import { readNumber, readText } from '../inspect/pragma.ts'
import { readIndex } from '../log/read-index.ts'
import { resultCode, sqliteCode } from '../sqlite-error.ts'
import { firstRead } from './first-read.ts'
import type { Patience } from './patience.ts'
import type { Begun, Opened } from './protocol.ts'

type Access = 'read-only' | 'read-write'

/** `kept`: it only holds states for others to read, perhaps for years, beside thousands of its kind. */
type Purpose = 'read' | 'kept'

/** The SQLite connection of a snapshot. It never writes: `query_only` is on, and it is read-only unless told otherwise. */
export class Reader implements Disposable {
  readonly #database: DatabaseSync
  readonly #opened: { readonly path: string; readonly access: Access }
  readonly #forgetsSchema: boolean

  private constructor(
    database: DatabaseSync,
    opened: { readonly path: string; readonly access: Access },
    forgetsSchema: boolean,
  ) {
    this.#database = database
    this.#opened = opened
    this.#forgetsSchema = forgetsSchema
    this.#forgetSchema()
  }

  /** Connects and reads once, so that `-wal` and `-shm` are in place (or a hot journal is rolled back) afterwards. */
  static open(path: string, access: Access, patience: Patience, purpose: Purpose = 'read'): Reader {
    const database = openFile(path, access)
    try {
      database.exec('PRAGMA query_only = 1; PRAGMA trusted_schema = 0')
      let isIntact = false
      patience.whileBusy(() => {
        isIntact = firstRead(database)
      })
      // SQLite takes memory for 20 pages at once, unless it is to keep none.
      if (purpose === 'kept') database.exec('PRAGMA cache_size = 0')
      return new Reader(database, { path, access }, purpose === 'kept' && isIntact)
    } catch (thrown) {
      database.close()
      throw thrown
    }
  }

  describe(): Opened {
    const version = this.#database.prepare('SELECT sqlite_version() AS version').get()?.['version']
    return { engineVersion: String(version), usesLog: this.#usesLog() }
  }

  /**
   * Begins the read transaction that holds the state, and in WAL mode proves at which frame of the log it stands: two equal
   * headers around BEGIN mean that SQLite's snapshot is that very header's, because every commit and every reset of the log
   * changes it (a change counter, the salts), and SQLite itself took a copy in between.
   */
  begin(sharedMemory: number | undefined, patience: Patience): Begun {
    this.#rollback()
    for (let retries = 0; ; retries++) {
      const before = sharedMemory === undefined ? undefined : readIndex(sharedMemory)
      patience.whileBusy(() => this.#beginTransaction())
      const after = sharedMemory === undefined ? undefined : readIndex(sharedMemory)
      const usesLog = this.#usesLog()
      const isProven = before !== undefined && after?.header.equals(before.header) === true
      if (!usesLog || sharedMemory === undefined || isProven) {
        const pageSize = readNumber(this.#database, 'page_size')
        const pageCount = readNumber(this.#database, 'page_count')
        const horizon =
          usesLog && isProven ? after && { header: after.header, backfilled: after.backfilled } : undefined
        this.#forgetSchema()
        return { usesLog, horizon, pageSize, pageCount, retries }
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

  /** As {@link begin}, of whatever state is the newest: nothing is told of it. */
  hold(patience: Patience): void {
    this.#rollback()
    patience.whileBusy(() => this.#beginTransaction())
  }

  inspect(validation: ValidationLevel, rowCounts: boolean, throwIfCancelled: () => void): Inspection {
    enlargeCache(this.#database)
    const inspection = inspectDatabase(this.#database, { validation, rowCounts, throwIfCancelled })
    // SQLite ends a transaction by itself after some I/O errors; what was read since is of another state.
    if (!this.#database.isTransaction) {
      throw new HoldfastError('DATABASE_CHANGED', 'SQLite gave up its hold on the database after a read error.')
    }
    return inspection
  }

  /** Lets the state go; the connection stays. */
  end(): void {
    this.#rollback()
  }

  [Symbol.dispose](): void {
    this.#rollback()
    const keeper = this.#opened.access === 'read-write' ? keeperOfLog(this.#opened.path) : undefined
    this.#database.close()
    keeper?.close()
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

  /** What SQLite has parsed of it: hundreds of kilobytes where there are many tables. It reads it again when it needs it. */
  #forgetSchema(): void {
    if (this.#forgetsSchema) this.#database.exec('PRAGMA writable_schema = RESET')
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  #usesLog(): boolean {
    return readText(this.#database, 'journal_mode') === 'wal'
  }
}

function openFile(path: string, access: Access, timeout = 0): DatabaseSync {
  const location = pathToFileURL(path)
  // Without a mode, a file that vanished meanwhile would be made anew, empty.
  location.searchParams.set('mode', access === 'read-only' ? 'ro' : 'rw')
  return new DatabaseSync(location, { readOnly: access === 'read-only', timeout })
}

/**
 * The last connection to close copies the log into the database and deletes it, unless it is read-only. Ours is writable
 * only to remove the empty log that it made itself; commits that came into it since are their writer's. So where there are
 * any, a read-only connection is opened that is to be closed last.
 */
function keeperOfLog(path: string): DatabaseSync | undefined {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined
  const keeper = openFile(path, 'read-only', 1000)
  try {
    firstRead(keeper)
    return keeper
  } catch (thrown) {
    keeper.close()
    // Somebody else is at work on it, and closes after us.
    if (sqliteCode(thrown) === resultCode.busy) return undefined
    throw thrown
  }
}
