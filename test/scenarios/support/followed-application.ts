import { execFile } from 'node:child_process'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { LoadOptions } from '../../support/load-options.ts'
import { checkOracle, createOracleDatabase, readOracle } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { WriterProcess } from '../../support/writer-process.ts'

/** An application with two writers at full speed, and what its owner and other programs do to its database. */
export class FollowedApplication implements AsyncDisposable {
  readonly path: string
  readonly #notes: string
  readonly #random: Random
  readonly #readers: SqlProcess[] = []
  #writers: WriterProcess[] = []
  writerKills = 0
  replacements = 0
  copies = 0
  /** Commits of the files that were replaced since. */
  #formerCommits = 0

  /** @param notes file in which the writers note their commits */
  constructor(path: string, notes: string, random: Random) {
    this.path = path
    this.#notes = notes
    this.#random = random
    createOracleDatabase(path, { autoVacuum: random.pick(['none', 'full', 'incremental']) })
  }

  async startWriters(special: Pick<LoadOptions, 'maintenancePercent'> = {}): Promise<void> {
    for (const { isRunning } of this.#writers) if (!isRunning) throw new Error('A writer failed.')
    const options = { path: this.path, notes: this.#notes, stamp: true, rows: 600, largest: 10_000, ...special }
    while (this.#writers.length < 2) {
      this.#writers.push(await WriterProcess.start({ ...options, seed: this.#random.below(2 ** 32) }))
    }
  }

  async killWriters(): Promise<void> {
    this.writerKills += this.#writers.length
    await Promise.all(this.#writers.splice(0).map((writer) => writer.kill()))
  }

  async stopWriters(): Promise<void> {
    await Promise.all(this.#writers.splice(0).map((writer) => writer.stop()))
  }

  newestCommit(): number {
    using database = new DatabaseSync(this.path, { readOnly: true, timeout: 60_000 })
    return readOracle(database).seq
  }

  get commits(): number {
    return this.#formerCommits + this.newestCommit()
  }

  /** As an application may do at any time; whether it gets the lock is not ours to demand. */
  checkpoint(): void {
    using database = new DatabaseSync(this.path, { timeout: 200 })
    database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  }

  /**
   * Puts another file in the database's place: the one given, or a new one with pages of another size. Nobody writes meanwhile; or
   * the writers do not notice, go on with the file that is gone, and are killed.
   */
  async replaceBy(file: string | undefined): Promise<void> {
    const isUnderWriters = this.#random.chance(50)
    await this.stopWriters()
    await this.endReaders()
    const next = `${this.path}.next`
    if (file === undefined) createOracleDatabase(next, { pageSize: this.#random.pick([1024, 4096, 8192]) })
    else copyFileSync(file, next)
    if (isUnderWriters) {
      // Who connected anew in between would make a file of its own.
      await this.startWriters({ maintenancePercent: 0 })
      await delay(this.#random.below(300))
    }
    this.#formerCommits += this.newestCommit()
    for (const ending of ['-wal', '-shm']) rmSync(`${this.path}${ending}`, { force: true })
    if (this.#random.chance(50)) {
      rmSync(this.path)
      await delay(this.#random.below(400))
    }
    renameSync(next, this.path)
    if (isUnderWriters) {
      await delay(this.#random.below(200))
      await this.killWriters()
    }
    this.replacements += 1
  }

  /** Another process that stays at an old state. */
  async holdReader(): Promise<void> {
    const reader = await SqlProcess.open(this.path)
    this.#readers.push(reader)
    await reader.run('BEGIN', 'SELECT count(*) FROM items')
  }

  async endReaders(): Promise<void> {
    await Promise.all(
      this.#readers.splice(0).map((reader) => (this.#random.chance(50) ? reader.kill() : reader.close())),
    )
  }

  /** SQLite's own backup. It starts over whenever somebody writes, so that half of the time the writers stand still. */
  async copyWith(sqlite3: string, to: string): Promise<void> {
    const isQuiet = this.#random.chance(50)
    if (isQuiet) for (const writer of this.#writers) writer.pause()
    try {
      rmSync(to, { force: true })
      const commands = ['-cmd', '.timeout 2000', this.path, `.backup '${to}'`]
      await promisify(execFile)(sqlite3, commands, { timeout: 3_000, killSignal: 'SIGKILL' })
      checkOracle(to)
      this.copies += 1
    } catch (thrown) {
      const isGivenUp = thrown instanceof Error && 'killed' in thrown && thrown.killed === true
      const isLockedOut = thrown instanceof Error && thrown.message.includes('database is locked')
      if (!isGivenUp && !isLockedOut) throw thrown
    } finally {
      if (isQuiet) for (const writer of this.#writers) writer.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all: readonly AsyncDisposable[] = [...this.#writers.splice(0), ...this.#readers.splice(0)]
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()))
  }
}
