/** Backups of a database while it is followed: what a manifest names is what was checked, and nobody is held up by it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createBackup } from '../../src/backup/create-backup.ts'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { SourceSnapshot } from '../../src/source/source.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { PageSource } from '../support/page-source.ts'
import { seededRandom } from '../support/random.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { imageAt } from './support/check-history.ts'
import { Rig } from './support/rig.ts'

/** Segments that are put while it is closed wait until it opens. */
class GatedStorage extends MemoryStorage {
  waiting = 0
  #opened = Promise.withResolvers<void>()

  constructor() {
    super()
    this.openUp()
  }

  shut(): void {
    this.#opened = Promise.withResolvers<void>()
  }

  openUp(): void {
    this.#opened.resolve()
  }

  override async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    if (key.includes('/segments/')) {
      this.waiting += 1
      await this.#opened.promise
      this.waiting -= 1
    }
    return await super.put(key, body, options)
  }
}

/** A database without a log, of which one reader at a time can be had: as where a writer waits for its end. */
async function withWaitingWriter() {
  const rig = await Rig.make()
  const { database } = rig
  database.hasLog = false
  let held = 0
  const open = database.openSnapshot.bind(database)
  database.openSnapshot = async () => {
    if (held > 0) throw new HoldfastError('DATABASE_BUSY', 'A writer waits for the reader before.')
    held += 1
    const snapshot = await open()
    const release = async () => {
      held -= 1
    }
    return { ...snapshot, [Symbol.asyncDispose]: release } satisfies SourceSnapshot
  }
  const capture = await rig.follow({ deltaIntervalMs: 3_600_000 })
  return { rig, capture, isHeld: () => held > 0 }
}

describe('a backup of a followed database without a log', () => {
  for (const type of ['incremental', 'full'] as const) {
    it(`needs no second reader beside the first: ${type}`, { timeout: 60_000 }, async () => {
      const { rig, capture, isHeld } = await withWaitingWriter()
      rig.database.commitRandom(seededRandom(3))
      const { metadata } = await capture.backUp({ type })
      assert.equal(isHeld(), false)
      assert.equal(metadata.lsn, 2)
      const database = await rig.repository()
      const { segments, backups } = await database.catalog()
      assert.deepEqual(
        backups.map(({ id }) => id),
        [metadata.id],
      )
      const image = await imageAt(database, capture.status.lsn, segments)
      assert.ok(image.equals(rig.database.image()))
      assert.deepEqual(
        segments.some(({ key }) => key === metadata.segment),
        type === 'full',
      )
      await capture.stop()
    })
  }

  it('lets the database go before it waits for the repository', { timeout: 60_000 }, async () => {
    const { rig, capture, isHeld } = await withWaitingWriter()
    rig.database.commitRandom(seededRandom(4))
    let isDone = false
    let looked = false
    const backup = capture.backUp({
      type: 'incremental',
      onProgress: ({ phase }) => {
        if (phase === 'validate') rig.isAway = true
        if (phase === 'validate') looked = isHeld()
      },
    })
    backup.then(
      () => (isDone = true),
      () => {},
    )
    await rig.until(() => looked && !isHeld())
    await rig.until(() => rig.of('retrying').length > 0)
    assert.equal(isDone, false)
    rig.isAway = false
    const { metadata } = await backup
    assert.equal(metadata.lsn, 2)
    await capture.stop()
  })
})

describe('sync of a database without a log', () => {
  it('waits for a look at the database, also while the spool has no room', { timeout: 60_000 }, async () => {
    const rig = await Rig.make()
    rig.database.hasLog = false
    const random = seededRandom(5)
    const capture = await rig.follow({ spoolLimitBytes: 0, deltaIntervalMs: 1_000 })
    rig.isAway = true
    rig.database.commitRandom(random)
    await rig.until(() => capture.status.waiting.segments === 1)
    rig.database.commitRandom(random)
    const syncing = capture.sync()
    await rig.clock.sleep(5_000)
    rig.isAway = false
    const lsn = await syncing
    const database = await rig.repository()
    const { segments } = await database.catalog()
    assert.ok((await imageAt(database, lsn, segments)).equals(rig.database.image()))
    await capture.stop()
  })
})

describe('a backup of a followed database whose commits are merged meanwhile', () => {
  it('is refused when the state that it checked cannot be restored any more', { timeout: 60_000 }, async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'app.db')
    await using writer = await SqlProcess.open(path)
    await writer.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (a)', 'INSERT INTO t VALUES (randomblob(1000))')
    const gate = new GatedStorage()
    await Repository.init(gate)
    const events: CaptureEvent[] = []
    await using capture = await followDatabase(sqlite(path), await Repository.open(gate), {
      stateFolder: join(folder.path, 'state'),
      syncIntervalMs: 10,
      spoolLimitBytes: 100_000,
      auditIntervalMs: 0,
      onEvent: (event) => events.push(event),
    })
    gate.shut()
    const commit = async (bytes: number, segments: number) => {
      await writer.query(`UPDATE t SET a = randomblob(${bytes})`)
      while (capture.status.waiting.segments < segments) await pause(5)
    }
    await commit(1_000, 1)
    while (gate.waiting === 0) await pause(5)
    await commit(60_000, 2)
    const { lsn } = capture.status
    const examined = Promise.withResolvers<void>()
    const backup = capture.backUp({
      type: 'incremental',
      onProgress: ({ phase }) => phase === 'validate' && examined.resolve(),
    })
    backup.catch(() => {})
    await examined.promise
    await writer.query('UPDATE t SET a = randomblob(60000)')
    while (!events.some(({ kind }) => kind === 'spool-full')) await pause(5)
    gate.openUp()
    await assert.rejects(backup, { code: 'DATABASE_CHANGED', message: new RegExp(`LSN ${lsn},`) })
    const { backups } = await (await Repository.open(gate)).database('app').catalog()
    assert.deepEqual(backups, [])
    const { metadata } = await capture.backUp({ type: 'incremental' })
    assert.equal(metadata.lsn, capture.status.lsn)
  })
})

describe('work under the lease of a capture', () => {
  it('ends a capture whose lease ran out, once another has written to the history', {
    timeout: 60_000,
  }, async (context) => {
    const rig = await Rig.make()
    const random = seededRandom(6)
    const capture = await rig.follow()
    rig.database.commitRandom(random)
    await capture.sync()
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 })
    const elsewhere = new PageSource().fill(3, 1)
    const repositoryOfAnother = await Repository.open(rig.storage)
    const { metadata } = await createBackup(elsewhere, repositoryOfAnother, { type: 'full', database: 'app' })
    let wasCalled = false
    const work = capture.exclusively(async () => {
      wasCalled = true
    })
    await assert.rejects(work, { code: 'LEASE_LOST' })
    assert.equal(wasCalled, false)
    rig.database.commitRandom(random)
    await assert.rejects(capture.done, { code: 'LEASE_LOST' })
    const { segments } = await (await rig.repository()).catalog()
    assert.ok(
      segments.every(({ to }) => to <= metadata.lsn),
      'nothing was written over what the other one wrote',
    )
  })

  it('is told to end when the capture stops, and when its caller gives up while it waits', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    const begun = Promise.withResolvers<void>()
    const work = capture.exclusively(async (_database, _lease, signal) => {
      begun.resolve()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      return 'ended'
    })
    await begun.promise
    const controller = new AbortController()
    const queued = capture.exclusively(async () => assert.fail('It was given up.'), { signal: controller.signal })
    controller.abort()
    await assert.rejects(queued, { code: 'ABORTED' })
    await capture.stop()
    assert.equal(await work, 'ended')
  })
})
