/** A SQLite database whose every commit is stored in a log, as a capture would store it. */
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createBackup } from '../../src/backup/create-backup.ts'
import { type Lsn, toLsn } from '../../src/history/lsn.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { type KnownCommit, storeCommits } from './log-history.ts'

export interface LoggedCommit {
  readonly lsn: Lsn
  /** Milliseconds since 1970; a second between two commits. */
  readonly time: number
}

const pageSize = 4096

export class SqliteLogHistory {
  readonly repository: DatabaseRepository
  readonly #path: string
  #last: KnownCommit

  private constructor(repository: DatabaseRepository, path: string, last: KnownCommit) {
    this.repository = repository
    this.#path = path
    this.#last = last
  }

  /** Makes a database by `schema`, and its full backup. */
  static async create(repository: Repository, path: string, schema: string): Promise<SqliteLogHistory> {
    execute(path, `PRAGMA journal_mode = DELETE; ${schema}`)
    const { metadata } = await createBackup(sqlite(path), repository, { type: 'full' })
    const time = Date.parse(metadata.capturedAt)
    const first = { lsn: toLsn(metadata.lsn), time, pages: pagesOf(path) }
    return new SqliteLogHistory(repository.database(metadata.database), path, first)
  }

  get last(): LoggedCommit {
    return this.#last
  }

  /** One commit for each statement; all of them in one log. */
  async commit(...statements: readonly string[]): Promise<LoggedCommit[]> {
    const before = this.#last
    const commits = statements.map((sql) => {
      execute(this.#path, sql)
      this.#last = { lsn: toLsn(this.#last.lsn + 1), time: this.#last.time + 1000, pages: pagesOf(this.#path) }
      return this.#last
    })
    await storeCommits(this.repository, before, commits, 'log', pageSize)
    return commits
  }

  /** A snapshot backup of the present state. */
  async snapshot(name: string): Promise<LoggedCommit> {
    const { metadata } = await createBackup(sqlite(this.#path), this.repository.repository, { type: 'snapshot', name })
    this.#last = { ...this.#last, lsn: toLsn(metadata.lsn), time: Date.parse(metadata.capturedAt) }
    return this.#last
  }

  /** Commits that nobody captured, healed by a delta behind a recorded gap. */
  async lose(reason: string, ...statements: readonly string[]): Promise<LoggedCommit> {
    const before = this.#last
    for (const sql of statements) execute(this.#path, sql)
    this.#last = { lsn: toLsn(before.lsn + 1), time: before.time + 60_000, pages: pagesOf(this.#path) }
    const gap = { fromLsn: before.lsn, toLsn: this.#last.lsn, fromTime: before.time, toTime: this.#last.time, reason }
    await this.repository.putGap(gap)
    await storeCommits(this.repository, before, [this.#last], 'delta', pageSize)
    return this.#last
  }
}

function execute(path: string, sql: string): void {
  using database = new DatabaseSync(path)
  database.exec(sql)
}

function pagesOf(path: string): Uint8Array[] {
  const bytes = readFileSync(path)
  return Array.from({ length: bytes.length / pageSize }, (_, i) => bytes.subarray(i * pageSize, (i + 1) * pageSize))
}
