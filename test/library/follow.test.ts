/** Following a database from within an application: the application's own connection commits, an engine process follows. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import {
  BackupManager,
  type BackupStorage,
  HoldfastError,
  hasCode,
  MemoryStorage,
  PointInTimeRecovery,
  sqlite,
} from '../../src/index.ts'
import { PageSource } from '../support/page-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** An application with a table of notes, in this process, and a manager for its database. */
async function application(journal: 'wal' | 'delete' = 'wal', place?: BackupStorage) {
  const folder = temporaryFolder()
  const path = folder.file('app.db')
  const database = new DatabaseSync(path, { timeout: 5000 })
  database.exec(`PRAGMA journal_mode = ${journal}; CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`)
  const repository = place ?? folder.file('backups')
  const backups = await BackupManager.open({ source: sqlite(path), repository, init: true })
  const insert = database.prepare("INSERT INTO notes (text) VALUES ('something')")
  return {
    folder,
    backups,
    repository,
    options: { stateFolder: folder.file('state') },
    /** Commits once. */
    write: () => insert.run(),
    deleteAll: () => database.exec('DELETE FROM notes'),
    /** How many notes the database held at that LSN. */
    async notesAt(lsn: number): Promise<unknown> {
      await using pitr = await PointInTimeRecovery.open({ repository, database: 'app' })
      const targetPath = folder.file(`at-${lsn}.db`)
      await pitr.recoverToLsn(lsn, { targetPath, force: true })
      using recovered = new DatabaseSync(targetPath, { readOnly: true })
      return recovered.prepare('SELECT count(*) AS notes FROM notes').get()?.['notes']
    },
    async [Symbol.asyncDispose]() {
      await backups.close()
      database.close()
      folder[Symbol.dispose]()
    },
  }
}

describe('a followed database', () => {
  for (const [where, place] of [
    ['in a folder', undefined],
    ['in a storage of the application', new MemoryStorage()],
  ] as const) {
    it(`gives back any commit, ${where}`, async () => {
      await using app = await application('wal', place)
      const live = await app.backups.follow(app.options)
      assert.deepEqual([live.database, live.start.mode, live.start.how, live.start.lsn], ['app', 'commits', 'first', 1])
      let commits = 0
      live.on('commit', ({ count }) => {
        commits += count
      })
      for (let i = 0; i < 5; i += 1) app.write()
      assert.equal(await live.sync(), 6)
      app.deleteAll()
      assert.equal(await live.sync(), 7)
      assert.equal(commits, 6)
      const { lsn, durableLsn, waiting } = await live.status()
      assert.deepEqual([lsn, durableLsn, waiting], [7, 7, { segments: 0, bytes: 0 }])
      assert.deepEqual([await app.notesAt(7), await app.notesAt(6), await app.notesAt(3)], [0, 5, 2])
      assert.deepEqual(await live.stop(), { segments: 0, bytes: 0 })
      assert.ok(!live.isFollowing)
    })
  }

  it('tells of what it does', async () => {
    await using app = await application()
    await using live = await app.backups.follow({ ...app.options, handOff: { logBytes: 1 } })
    const uploaded = once(live, 'uploaded')
    const handedOff = once(live, 'handed-off')
    app.write()
    const [{ lsn, bytes }] = await uploaded
    assert.equal(lsn, 2)
    assert.ok(bytes > 0)
    const [{ lockHeldMs }] = await handedOff
    assert.ok(lockHeldMs >= 0)
    const stopped = once(live, 'stopped')
    await live.stop()
    assert.deepEqual((await stopped)[0].left, { segments: 0, bytes: 0 })
    await assert.rejects(live.sync(), (error) => hasCode(error, 'ABORTED'))
  })

  it('whose engine is killed says so, goes on when followed again, and has lost nothing that was synchronised', async () => {
    await using app = await application()
    const first = await app.backups.follow(app.options)
    for (let i = 0; i < 10; i += 1) app.write()
    const synced = await first.sync()
    app.write()
    const told = once(first, 'error')
    assert.ok(first.pid !== undefined && process.kill(first.pid, 'SIGKILL'))
    // An 'error' rejects what `once` waits for, unless it is what it waits for.
    const [error] = await told
    assert.ok(error instanceof HoldfastError && hasCode(error, 'ENGINE_DIED'))
    assert.ok(!first.isFollowing)
    await assert.rejects(first.sync(), (thrown) => thrown === error)

    await using second = await app.backups.follow(app.options)
    assert.equal(second.start.how, 'resumed')
    app.write()
    const last = await second.sync()
    assert.equal(last, synced + 2)
    assert.deepEqual([await app.notesAt(synced), await app.notesAt(last)], [10, 12])
  })

  it('whose engine ends while nobody listens for errors becomes a warning, and does not end the application', async () => {
    await using app = await application()
    const live = await app.backups.follow(app.options)
    const warned = once(process, 'warning')
    assert.ok(live.pid !== undefined && process.kill(live.pid, 'SIGTERM'))
    const [warning] = await warned
    assert.equal(warning.code, 'ENGINE_DIED')
    await assert.rejects(live.stop(), (error) => hasCode(error, 'ENGINE_DIED'))
  })

  it('is followed once only, and backed up through its follower meanwhile', async () => {
    await using app = await application()
    await using live = await app.backups.follow(app.options)
    const second = app.backups.follow({ stateFolder: app.folder.file('other-state') })
    await assert.rejects(second, (error) => hasCode(error, 'LEASE_HELD'))
    const { metadata } = await app.backups.createSnapshotBackup({ name: 'followed' })
    assert.deepEqual([metadata.segment, metadata.lsn], [null, await live.sync()])
    const full = await app.backups.createFullBackup()
    assert.deepEqual([full.metadata.segmentKind, full.metadata.lsn], ['base', metadata.lsn])
    await live.stop()
    await app.backups.createIncrementalBackup({ parent: 'followed' })
  })

  it('is none other of the same name, unless that name is given', async () => {
    await using app = await application()
    await (await app.backups.follow(app.options)).stop()
    mkdirSync(app.folder.file('two'))
    const path = app.folder.file('two/app.db')
    using database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = wal; CREATE TABLE others (id INTEGER PRIMARY KEY)')
    const options = { stateFolder: app.folder.file('other-state') }
    const repository = app.repository
    await using unnamed = await BackupManager.open({ source: sqlite(path), repository })
    await assert.rejects(unnamed.follow(options), { code: 'NAME_TAKEN', object: path })
    await assert.rejects(unnamed.createFullBackup(), { code: 'NAME_TAKEN', object: path })
    const two = { source: sqlite(path), database: 'two' }
    await using named = await BackupManager.open({ sources: [sqlite(app.folder.file('app.db')), two], repository })
    await using live = await named.follow({ ...options, database: 'two' })
    assert.equal(live.database, 'two')
  })

  it('records what it missed as a gap', async () => {
    await using app = await application()
    const first = await app.backups.follow(app.options)
    await first.stop()
    app.write()
    app.deleteAll()
    await using other = await application()
    assert.ok(other)
    using outside = new DatabaseSync(app.folder.file('app.db'), { timeout: 5000 })
    outside.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    app.write()
    await using second = await app.backups.follow(app.options)
    const [gap] = await once(second, 'gap')
    assert.deepEqual([second.start.how, gap.fromLsn, gap.toLsn], ['healed', 1, 2])
    assert.deepEqual([await app.notesAt(1), await app.notesAt(2)], [0, 1])
  })

  it('without a write-ahead log is followed by deltas, or switched when asked to', async () => {
    await using app = await application('delete')
    const live = await app.backups.follow({ ...app.options, deltaIntervalMs: 50 })
    assert.equal(live.start.mode, 'deltas')
    app.write()
    assert.equal(await live.sync(), 2)
    await live.stop()
    await using switched = await app.backups.follow({ ...app.options, enableWal: true })
    assert.equal(switched.start.mode, 'commits')
    for (let i = 0; i < 3; i += 1) app.write()
    const last = await switched.sync()
    assert.deepEqual([await app.notesAt(last), await app.notesAt(last - 1)], [4, 3])
  })

  it('stops when its signal fires, and when its manager is closed', async () => {
    await using app = await application()
    const aborted = app.backups.follow({ ...app.options, signal: AbortSignal.abort() })
    await assert.rejects(aborted, (error) => hasCode(error, 'ABORTED'))
    const controller = new AbortController()
    const first = await app.backups.follow({ ...app.options, signal: controller.signal })
    const ended = once(first, 'stopped')
    controller.abort()
    await ended
    await first.stop()
    const second = await app.backups.follow(app.options)
    app.write()
    await app.backups.close()
    assert.ok(!second.isFollowing)
    assert.equal(await app.notesAt(2), 1)
  })

  it('is a SQLite database, with options that make sense', async () => {
    await using app = await application()
    const repository = app.folder.file('backups')
    await using custom = await BackupManager.open({ source: new PageSource().fill(3, 1), repository })
    await assert.rejects(custom.follow(), (error) => hasCode(error, 'DATABASE_UNSUPPORTED'))
    await assert.rejects(app.backups.follow({ syncIntervalMs: -1 }), (error) => hasCode(error, 'USAGE'))
  })
})
