import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { hasCode } from '../../../src/errors.ts'
import type { BackupManifest, BackupType } from '../../../src/repository/manifest.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { createOracleDatabase, type OracleOptions, readOracle } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'

export interface LiveBackup {
  readonly metadata: BackupManifest
  /** The backup holds a commit that is neither older than the last one before it began nor newer than the last one after it ended. */
  readonly notBefore: number
  readonly notAfter: number
  /** SQLite's own copy of the same moment, if the writers stood still. */
  readonly reference: string | undefined
}

/** A database that several processes write to at full speed, and the backups that are made of it meanwhile. */
export class LiveHistory implements AsyncDisposable {
  readonly folder = temporaryFolder()
  readonly path = this.folder.file('app.db')
  readonly backups: LiveBackup[] = []
  readonly #random: Random
  readonly #shape: OracleOptions
  #writers: WriterProcess[] = []
  #repository: Repository | undefined

  private constructor(shape: OracleOptions, random: Random) {
    this.#random = random
    this.#shape = shape
  }

  static async start(shape: OracleOptions, random: Random, writers = 2): Promise<LiveHistory> {
    const history = new LiveHistory(shape, random)
    createOracleDatabase(history.path, shape)
    history.#repository = await Repository.init(await openStorage(history.folder.file('repository')))
    for (let i = 0; i < writers; i++) await history.#startWriter()
    return history
  }

  get repository(): Repository {
    assert.ok(this.#repository)
    return this.#repository
  }

  async #startWriter(): Promise<void> {
    this.#writers.push(await WriterProcess.start({ path: this.path, seed: this.#random.below(2 ** 32) }))
  }

  /** One writer dies in the midst of what it does; another takes its place. */
  async replaceWriter(): Promise<void> {
    await this.#writers.shift()?.kill()
    await this.#startWriter()
  }

  /** One backup of a random kind, on a random parent, with the writers running. */
  async backUp(): Promise<void> {
    const type: BackupType =
      this.backups.length === 0
        ? 'full'
        : this.#random.pick(['incremental', 'incremental', 'incremental', 'snapshot', 'full'])
    const notBefore = this.lastCommit()
    const { metadata } = await createBackup(sqlite(this.path), this.repository, {
      type,
      parent: type === 'full' || this.#random.chance(60) ? undefined : this.#anyBackup()?.metadata.id,
      name: type === 'snapshot' ? `snapshot-${this.backups.length}` : undefined,
      codec: this.#random.pick(['zstd', 'zstd', 'gzip', 'none']),
      busyTimeoutMs: 60_000,
    })
    this.backups.push({ metadata, notBefore, notAfter: this.lastCommit(), reference: undefined })
  }

  /** One backup while every writer is stopped wherever it happens to be, and SQLite's own backup of the same moment. */
  async backUpPaused(): Promise<boolean> {
    for (const writer of this.#writers) writer.pause()
    try {
      const { metadata } = await createBackup(sqlite(this.path), this.repository, {
        type: this.backups.length === 0 ? 'full' : 'incremental',
        busyTimeoutMs: 0,
      })
      const reference = this.folder.file(`reference-${this.backups.length}.db`)
      rmSync(reference, { force: true })
      using database = new DatabaseSync(this.path, { readOnly: true, timeout: 1000 })
      const { seq } = readOracle(database)
      await backup(database, reference)
      this.backups.push({ metadata, notBefore: seq, notAfter: seq, reference })
      return true
    } catch (error) {
      // Stopped while it switches between logs, or holds the database exclusively.
      assert.ok(
        hasCode(error, 'DATABASE_BUSY', 'DATABASE_UNSUPPORTED'),
        error instanceof Error ? error.stack : String(error),
      )
      return false
    } finally {
      for (const writer of this.#writers) writer.resume()
    }
  }

  /** Ends the writers after their transactions; returns the number of the last commit. */
  async stop(): Promise<number> {
    const last = await Promise.all(
      this.#writers.map((writer) => {
        assert.ok(writer.isRunning, 'a writer failed')
        return writer.stop()
      }),
    )
    this.#writers = []
    return Math.max(...last)
  }

  lastCommit(): number {
    using database = new DatabaseSync(this.path, { readOnly: true, timeout: 60_000 })
    return readOracle(database).seq
  }

  #anyBackup(): LiveBackup | undefined {
    return this.backups[this.#random.below(this.backups.length)]
  }

  get shape(): OracleOptions {
    return this.#shape
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer[Symbol.asyncDispose]()))
    await this.#repository?.[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}
