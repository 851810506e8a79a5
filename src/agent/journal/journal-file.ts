import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { resultCode, sqliteCode } from '../../source/sqlite/sqlite-error.ts'
import { withExclusiveLock } from '../../storage/local/exclusive-lock.ts'
import { systemCode } from '../../storage/local/file-error.ts'
import { journalError } from './journal-error.ts'
import { checkVersion, migrate } from './journal-schema.ts'

/** How long another process may hold the journal: it does so for milliseconds. */
const defaultPatienceMs = 5000
/** Waiting in SQLite blocks the process. Between such attempts, everything else goes on. */
const busyTimeoutMs = 25
const firstPauseMs = 10
const longestPauseMs = 100

/**
 * The journal's database. It is open only for the moment of each access: so it can be replaced, or be backed up itself, while a
 * process runs for months; and nothing of this process is locked or lost by that.
 */
export class JournalFile {
  readonly path: string
  readonly #onSetAside: (movedTo: string) => void
  readonly #patienceMs: number

  /**
   * @param onSetAside told when a damaged journal was moved away, and a new one begun
   * @param patienceMs how long it is waited for while another process holds it, in milliseconds
   */
  constructor(path: string, onSetAside: (movedTo: string) => void, patienceMs = defaultPatienceMs) {
    this.path = path
    this.#onSetAside = onSetAside
    this.#patienceMs = patienceMs
  }

  /**
   * Runs `work` in a transaction that is durable when this resolves; makes the journal if there is none. It runs when nobody else writes any more, and
   * anew where the transaction was undone.
   */
  write<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.#mendingDamage(() => this.#transaction(work))
  }

  /** Undefined if there is no journal yet: reading makes none. */
  async read<T>(work: (database: DatabaseSync) => T): Promise<T | undefined> {
    if (!existsSync(this.path)) return undefined
    return await this.#mendingDamage(() => {
      using database = this.#openToRead()
      return work(database)
    })
  }

  #transaction<T>(work: (database: DatabaseSync) => T): T {
    using database = this.#open()
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work(database)
      database.exec('COMMIT')
      return result
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  #open(): DatabaseSync {
    createPrivately(this.path)
    const database = new DatabaseSync(this.path, { timeout: busyTimeoutMs })
    try {
      // Before anything is set: a database that is no journal must stay as it is.
      checkVersion(database, this.path)
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      migrate(database, this.path)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** Where nothing can be written, not even a lock, nobody else is writing either. */
  #openToRead(): DatabaseSync {
    try {
      return this.#open()
    } catch (error) {
      const code = sqliteCode(error)
      if (code !== resultCode.cantOpen && code !== resultCode.readonly && !isReadOnly(error)) throw error
    }
    const database = new DatabaseSync(new URL(`${pathToFileURL(this.path).href}?immutable=1`), { readOnly: true })
    try {
      checkVersion(database, this.path)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  async #mendingDamage<T>(access: () => T): Promise<T> {
    try {
      try {
        return await this.#whenFree(access)
      } catch (error) {
        if (!isDamage(error)) throw error
        await this.#setAside()
        return await this.#whenFree(access)
      }
    } catch (error) {
      throw journalError(error, this.path)
    }
  }

  async #whenFree<T>(access: () => T): Promise<T> {
    const until = performance.now() + this.#patienceMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return access()
      } catch (error) {
        if (!isBusy(error) || performance.now() >= until) throw error
      }
      await delay(pauseMs)
    }
  }

  /** Of several processes that meet the damage, one moves the file, and the others find the new one. */
  async #setAside(): Promise<void> {
    await withExclusiveLock(`${this.path}.lock`, async () => {
      if (!(await this.#whenFree(() => this.#isDamaged()))) return
      const movedTo = `${this.path}.damaged-${new Date().toISOString().replace(/[-:.]/g, '')}`
      for (const suffix of ['-wal', '-shm', '']) {
        if (existsSync(`${this.path}${suffix}`)) renameSync(`${this.path}${suffix}`, `${movedTo}${suffix}`)
      }
      this.#onSetAside(movedTo)
    })
  }

  #isDamaged(): boolean {
    try {
      using database = this.#open()
      return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok'
    } catch (error) {
      if (isDamage(error)) return true
      throw error
    }
  }
}

/** Made with our mode before SQLite makes it with its own. */
function createPrivately(path: string): void {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function isReadOnly(thrown: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM'].includes(systemCode(thrown) ?? '')
}

function isBusy(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return code === resultCode.busy || code === resultCode.locked
}

function isDamage(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return code === resultCode.corrupt || code === resultCode.notADatabase
}
