import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import {
  BackupError,
  BackupManager,
  type BackupStorage,
  type ErrorCode,
  HoldfastError,
  hasCode,
  initRepository,
  MemoryStorage,
  type ObjectInfo,
  type PutBody,
  type PutOptions,
  RestoreError,
  RestoreManager,
  sqlite,
  verifyBackups,
} from '../../src/index.ts'
import { PageSource } from '../support/page-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { addRow, countRows, makeDatabase } from './make-database.ts'

const repositories: Readonly<Record<string, (folder: string) => string | BackupStorage>> = {
  'in a folder': (folder) => `${folder}/backups`,
  'in a storage of the application': () => new MemoryStorage(),
  'in memory, by URL': (folder) => `memory:${folder}`,
}

describe('the library backs up and restores', () => {
  for (const [where, place] of Object.entries(repositories)) {
    it(`a live database ${where}`, async () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      makeDatabase(path, 20)
      const repository = place(folder.path)
      await using backups = await BackupManager.open({ source: sqlite(path), repository, init: true })

      const full = await backups.createFullBackup({ tags: { release: '2.1' } })
      addRow(path)
      const incremental = await backups.createIncrementalBackup()
      const snapshot = await backups.createSnapshotBackup({ name: 'before-migration' })
      addRow(path)

      assert.deepEqual(
        (await backups.listBackups()).map(({ id, type, parent }) => [id, type, parent]),
        [
          [full.metadata.id, 'full', null],
          [incremental.metadata.id, 'incremental', full.metadata.id],
          [snapshot.metadata.id, 'snapshot', incremental.metadata.id],
        ],
      )
      assert.deepEqual((await backups.getBackup(full.metadata.id.slice(0, 8))).tags, { release: '2.1' })
      const stats = await backups.getBackupStats()
      assert.deepEqual(stats.byType, { full: 1, incremental: 1, snapshot: 1 })
      assert.ok(stats.savedBytes > 0)
      assert.ok((await backups.verify({ level: 'restore' })).ok)
      assert.ok((await verifyBackups({ repository, databases: ['app'], level: 'metadata' })).ok)

      await using restores = await RestoreManager.open({ repository, database: path })
      assert.equal(restores.database, 'app')
      const first = await restores.restore({
        state: { by: 'backup', id: full.metadata.id },
        targetPath: folder.file('first.db'),
      })
      assert.equal(first.mode, 'create')
      assert.equal(first.proof?.factsMatch, true)
      assert.equal(countRows(folder.file('first.db')), 20)
      const latest = await restores.restoreLatest({ targetPath: folder.file('first.db'), force: true })
      assert.equal(latest.plan.backup?.name, 'before-migration')
      assert.equal(countRows(folder.file('first.db')), 21)
      assert.equal((await restores.listRestorePoints()).points.length, 3)
      assert.equal((await restores.listBackups()).length, 3)

      const plan = await restores.plan({ by: 'lsn', lsn: 2 })
      assert.deepEqual(
        plan.steps.map(({ kind }) => kind),
        ['base', 'delta'],
      )
      assert.ok((await restores.estimate({ by: 'latest' })).bytesToFetch > 0)

      await assert.rejects(backups.deleteBackup(full.metadata.id), (error) => hasCode(error, 'BACKUP_NEEDED'))
      await assert.rejects(backups.deleteBackup('before-migration', { force: true }), (error) =>
        hasCode(error, 'BACKUP_PINNED'),
      )
      await backups.unpinBackup('before-migration')
      const { backup } = await backups.deleteBackup('before-migration', { force: true })
      assert.equal(backup.id, snapshot.metadata.id)
      assert.equal((await backups.listBackups()).length, 2)
    })
  }

  it('a source of the application’s own, in the application’s process', async () => {
    const source = new PageSource().fill(100, 1)
    await using backups = await BackupManager.open({ source, repository: new MemoryStorage(), init: true })
    await backups.createFullBackup()
    source.change(7, 7)
    const { metadata } = await backups.createIncrementalBackup()
    assert.equal(metadata.pages, 1)
  })

  it('under a name that was given, with the manager’s defaults unless a backup says otherwise', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 5)
    await using backups = await BackupManager.open({
      source: sqlite(folder.file('app.db')),
      database: 'orders',
      repository: folder.file('backups'),
      init: true,
      defaults: { codec: 'none', rowCounts: false, tags: { by: 'default' } },
    })
    const { metadata } = await backups.createFullBackup()
    assert.deepEqual([metadata.database, metadata.codec, metadata.tags], ['orders', 'none', { by: 'default' }])
    assert.deepEqual(metadata.source.tables, [{ name: 't', rows: null }])
    const other = await backups.createFullBackup({ codec: 'gzip', tags: {} })
    assert.deepEqual([other.metadata.codec, other.metadata.tags], ['gzip', {}])
  })

  it('while the application goes on with its work, and hears how far it is', async (test) => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 10_000)
    await using backups = await BackupManager.open({
      source: sqlite(folder.file('app.db')),
      repository: folder.file('backups'),
      init: true,
    })
    const phases = new Set<string>()
    let ticks = 0
    const ticking = setInterval(() => ticks++, 5)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const { durationMs, metadata } = await backups.createFullBackup({
      onProgress: ({ phase, done, total, elapsedMs }, database) => {
        phases.add(phase)
        assert.ok(database === 'app' && elapsedMs >= 0 && (total === undefined || done <= total))
      },
    })
    delay.disable()
    clearInterval(ticking)
    assert.deepEqual([...phases], ['prepare', 'copy', 'validate', 'verify', 'commit'])
    assert.ok(ticks > 1, 'timers fired during the backup')
    const megabytes = Math.round(metadata.databaseBytes / 1e6)
    test.diagnostic(`${megabytes} MB in ${Math.round(durationMs)} ms; longest pause ${Math.round(delay.max / 1e6)} ms`)
  })
})

describe('what goes wrong in the engine', () => {
  const failures: Readonly<Record<string, { code: ErrorCode; prepare: (path: string) => void }>> = {
    'no such file': { code: 'DATABASE_NOT_FOUND', prepare: () => {} },
    'not a database': { code: 'NOT_A_DATABASE', prepare: (path) => writeFileSync(path, 'x'.repeat(5000)) },
  }
  for (const [what, { code, prepare }] of Object.entries(failures)) {
    it(`comes out as a BackupError: ${what}`, async () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      prepare(path)
      await using backups = await BackupManager.open({
        source: sqlite(path),
        repository: new MemoryStorage(),
        init: true,
      })
      await assert.rejects(backups.createFullBackup(), (error) => {
        assert.ok(error instanceof BackupError, String(error))
        assert.deepEqual([error.code, error.object], [code, path])
        assert.deepEqual([error.partialBackup.database, error.partialBackup.type], ['app', 'full'])
        return true
      })
      assert.deepEqual(await backups.listBackups(), [])
    })
  }

  it('comes out with how far the backup came: a full storage of the application’s own', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 500)
    const storage = new FullStorage()
    await initRepository(storage)
    await using backups = await BackupManager.open({ source: sqlite(folder.file('app.db')), repository: storage })
    await assert.rejects(backups.createFullBackup(), (error) => {
      assert.ok(error instanceof BackupError && error.code === 'DISK_FULL', String(error))
      assert.equal(error.partialBackup.phase, 'copy')
      assert.equal(error.hint, 'Free some space.')
      assert.ok(error.partialBackup.bytesRead > 0)
      return true
    })
    assert.deepEqual(await backups.listBackups(), [])
  })

  it('comes out as a RestoreError, and the target is as it was', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 5)
    const repository = folder.file('backups')
    await using backups = await BackupManager.open({ source: sqlite(folder.file('app.db')), repository, init: true })
    await backups.createFullBackup()
    await using restores = await RestoreManager.open({ repository, database: 'app' })
    const targetPath = folder.file('target.db')
    writeFileSync(targetPath, 'precious')
    await assert.rejects(
      restores.restoreLatest({ targetPath }),
      (error) => error instanceof RestoreError && error.code === 'TARGET_EXISTS',
    )
    await assert.rejects(
      restores.restoreLatest({ targetPath, force: true, checkCommand: 'exit 1' }),
      (error) => error instanceof RestoreError && error.code === 'CHECK_COMMAND_FAILED' && error.phase === 'prove',
    )
    assert.equal(readFileSync(targetPath, 'utf8'), 'precious')
    await assert.rejects(
      restores.restore({ state: { by: 'lsn', lsn: 99 }, targetPath: folder.file('other.db') }),
      (error) => error instanceof RestoreError && error.code === 'NOT_RESTORABLE',
    )
    assert.ok(!existsSync(folder.file('other.db')))
  })

  it('or in a listener of the application, ends the backup with what was thrown', async () => {
    using folder = temporaryFolder()
    makeDatabase(folder.file('app.db'), 500)
    await using backups = await BackupManager.open({
      source: sqlite(folder.file('app.db')),
      repository: new MemoryStorage(),
      init: true,
    })
    const broken = new TypeError('the listener is broken')
    const onProgress = () => {
      throw broken
    }
    await assert.rejects(
      backups.createFullBackup({ onProgress }),
      (error) => error instanceof BackupError && error.cause === broken,
    )
    assert.deepEqual(await backups.listBackups(), [])
  })
})

describe('what makes no sense is refused', () => {
  it('before anything is done', async () => {
    using folder = temporaryFolder()
    const repository = folder.file('backups')
    const source = sqlite(folder.file('app.db'))
    const usage = (error: unknown) => hasCode(error, 'USAGE')
    await assert.rejects(
      BackupManager.open({ source, repository }),
      (error) => hasCode(error, 'REPOSITORY_NOT_FOUND') && /"init: true"/.test(error.hint ?? ''),
    )
    const inWords: object = { source: 'data/app.db', repository }
    const nothing: object = { repository }
    for (const [options, hint] of [
      [inWords, /sqlite\("data\/app\.db"\)/],
      [nothing, /Give "source"/],
    ] as const)
      await assert.rejects(
        Reflect.apply(BackupManager.open, BackupManager, [options]),
        (error) => usage(error) && error instanceof HoldfastError && hint.test(error.hint ?? ''),
      )
    await assert.rejects(BackupManager.open({ source, repository, maxConcurrentBackups: 0 }), usage)
    await assert.rejects(BackupManager.open({ sources: [], repository, init: true }), usage)
    await assert.rejects(RestoreManager.open({ repository, database: 'app' }), (error) =>
      hasCode(error, 'REPOSITORY_NOT_FOUND'),
    )
    await initRepository(repository)
    await assert.rejects(initRepository(repository), (error) => hasCode(error, 'REPOSITORY_EXISTS'))
    await assert.rejects(RestoreManager.open({ repository, database: 'app' }), (error) =>
      hasCode(error, 'NAME_NOT_FOUND'),
    )
    await using backups = await BackupManager.open({ source, repository })
    const strange: object = { validation: 'thorough' }
    await assert.rejects(backups.createFullBackup(strange), (error) => usage(error) && /validation/.test(String(error)))
    const misspelt: object = { tag: { a: 'b' } }
    await assert.rejects(backups.createFullBackup(misspelt), (error) => usage(error) && /"tag"/.test(String(error)))
  })
})

/** Room for manifests, but not for segments. */
class FullStorage extends MemoryStorage {
  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (!key.includes('/segments/') || body instanceof Uint8Array) return await super.put(key, body, options)
    let bytes = 0
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > 500_000) break
    }
    throw new HoldfastError('DISK_FULL', 'No space left.', { object: key, hint: 'Free some space.' })
  }
}
