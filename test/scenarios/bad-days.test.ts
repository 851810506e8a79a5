/** Backups of what cannot be backed up, or not now: the reason is told, the repository is as it was, and the next backup passes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { BackupError, type ErrorCode, hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { restoreToMemory } from './support/memory-restore.ts'
import { type KnownBackup, SampleDatabase } from './support/sample-database.ts'

/** One database with one good backup, to which something bad happens. */
class BadDay implements Disposable {
  readonly folder = temporaryFolder()
  readonly app = new SampleDatabase(this.folder.path, 'app', { rows: 3000 })
  readonly storage = new MemoryStorage()
  #good: KnownBackup | undefined

  static async begin(): Promise<BadDay> {
    const day = new BadDay()
    day.#good = await day.app.backup(await Repository.init(day.storage), { type: 'full' })
    return day
  }

  repository = () => Repository.open(this.storage)

  /** The backup fails for this reason, and nothing of it is visible. */
  async assertRefused(backup: Promise<unknown>, ...codes: ErrorCode[]): Promise<BackupError> {
    const error = await backup.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof BackupError, `expected ${codes.join()}: ${error}`)
    assert.ok(codes.includes(error.code), `expected ${codes.join()}: ${error.stack}`)
    assert.equal(error.partialBackup.database, 'app')
    const repository = await this.repository()
    const { backups, segments } = await repository.database('app').catalog()
    assert.deepEqual([backups.length, segments.length], [1, 1])
    assert.deepEqual((await verifyRepository(repository)).findings, [])
    const id = this.#good?.metadata.id ?? ''
    assert.ok(
      (await restoreToMemory(repository.database('app'), { by: 'backup', id })).equals(
        this.#good?.image ?? Buffer.of(),
      ),
    )
    return error
  }

  async assertNextPasses(app = this.app): Promise<void> {
    const repository = await this.repository()
    const { metadata, image } = await app.change().backup(repository, { type: 'incremental' })
    assert.ok((await restoreToMemory(repository.database('app'), { by: 'backup', id: metadata.id })).equals(image))
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]()
  }
}

describe('a backup of a file that is no database any more', () => {
  const replacements: readonly (readonly [string, (path: string) => void, ErrorCode])[] = [
    ['removed', (path) => rmSync(path), 'DATABASE_NOT_FOUND'],
    ['overwritten with text', (path) => writeFileSync(path, 'SELECT 1;\n'.repeat(500)), 'NOT_A_DATABASE'],
    ['encrypted', (path) => writeFileSync(path, randomBytes(64 * 4096)), 'DATABASE_ENCRYPTED'],
    ['cut', (path) => truncateSync(path, 20 * 1024), 'DATABASE_DAMAGED'],
  ]
  for (const [what, happens, code] of replacements) {
    it(`is refused when it was ${what}; older backups stay`, async () => {
      using day = await BadDay.begin()
      const sane = day.app.image()
      happens(day.app.path)
      const repository = await day.repository()
      for (const type of ['full', 'incremental'] as const)
        await day.assertRefused(createBackup(sqlite(day.app.path), repository, { type }), code)
      writeFileSync(day.app.path, sane)
      await day.assertNextPasses()
    })
  }
})

describe('a backup of a database that changes under its reader in a way that SQLite would not', () => {
  const changes: readonly (readonly [string, (day: BadDay) => void])[] = [
    [
      'is replaced by another file',
      (day) => {
        writeFileSync(day.folder.file('other.db'), new SampleDatabase(day.folder.path, 'fresh').image())
        renameSync(day.folder.file('other.db'), day.app.path)
      },
    ],
    ['is cut', (day) => truncateSync(day.app.path, 4096)],
    ['is removed', (day) => rmSync(day.app.path)],
  ]
  for (const [what, happens] of changes) {
    it(`is given up when it ${what}`, async () => {
      using day = await BadDay.begin()
      const sane = day.app.image()
      let done = false
      const backup = createBackup(sqlite(day.app.path), await day.repository(), {
        type: 'full',
        onProgress: ({ phase }) => {
          if (phase === 'copy' && !done) {
            done = true
            happens(day)
          }
        },
      })
      await day.assertRefused(backup, 'DATABASE_CHANGED', 'DATABASE_DAMAGED')
      rmSync(day.app.path, { force: true })
      writeFileSync(day.app.path, sane)
      await day.assertNextPasses()
    })
  }
})

describe('a backup of a database that others hold', () => {
  it('waits for a lock no longer than it is told, and passes when it is gone', async () => {
    using day = await BadDay.begin()
    await using holder = await SqlProcess.open(day.app.path)
    await holder.query('BEGIN EXCLUSIVE')
    const repository = await day.repository()
    const refused = createBackup(sqlite(day.app.path), repository, { type: 'full', busyTimeoutMs: 50 })
    assert.match(String((await day.assertRefused(refused, 'DATABASE_BUSY')).hint), /busy.timeout/)
    const waiting = createBackup(sqlite(day.app.path), repository, { type: 'full', busyTimeoutMs: 60_000 })
    await holder.query('ROLLBACK')
    assert.equal((await waiting).metadata.lsn, 2)
  })

  it('is refused in exclusive locking mode, with the reason', async () => {
    using day = await BadDay.begin()
    await using holder = await SqlProcess.open(day.app.path)
    await holder.query(
      'PRAGMA locking_mode = exclusive',
      'PRAGMA journal_mode = wal',
      `INSERT INTO users VALUES (999999, 'x')`,
    )
    const refused = createBackup(sqlite(day.app.path), await day.repository(), { type: 'full', busyTimeoutMs: 50 })
    const { message } = await day.assertRefused(refused, 'DATABASE_UNSUPPORTED', 'DATABASE_BUSY')
    assert.match(message, /EXCLUSIVE|locked/)
  })

  it('can be cancelled while it waits', async () => {
    using day = await BadDay.begin()
    await using holder = await SqlProcess.open(day.app.path)
    await holder.query('BEGIN EXCLUSIVE')
    const controller = new AbortController()
    const waiting = createBackup(sqlite(day.app.path), await day.repository(), {
      type: 'full',
      busyTimeoutMs: 60_000,
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(), 50)
    await day.assertRefused(waiting, 'ABORTED')
    await holder.query('ROLLBACK')
    await day.assertNextPasses()
  })
})

describe('two backups of one database at once', () => {
  it('one is refused, or waits its turn', async () => {
    using day = await BadDay.begin()
    const backup = async (leaseWaitMs: number) =>
      createBackup(sqlite(day.app.path), await day.repository(), { type: 'full', leaseWaitMs })
    const results = await Promise.allSettled([backup(0), backup(0), backup(0)])
    const refused = results.filter((result) => result.status === 'rejected')
    assert.equal(refused.length, 2)
    for (const { reason } of refused) {
      assert.ok(hasCode(reason, 'LEASE_HELD'), String(reason))
      assert.match(reason.message, new RegExp(`backup by process ${process.pid}`))
    }
    const both = await Promise.all([backup(60_000), backup(60_000)])
    assert.deepEqual(both.map(({ metadata }) => metadata.lsn).sort(), [3, 4])
    assert.deepEqual((await verifyRepository(await day.repository())).findings, [])
  })
})

describe('a backup that is cancelled', () => {
  for (const phase of ['prepare', 'copy', 'verify', 'validate', 'commit']) {
    it(`in its phase "${phase}" leaves nothing`, async () => {
      using day = await BadDay.begin()
      const controller = new AbortController()
      const backup = createBackup(sqlite(day.app.path), await day.repository(), {
        type: 'full',
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.phase === phase) controller.abort()
        },
      })
      await day.assertRefused(backup, 'ABORTED')
      await day.assertNextPasses()
    })
  }
})
