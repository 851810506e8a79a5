/** What can still be done with a repository in which something broke: as much as possible, never in silence. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { storeSegment } from '../../src/backup/store-segment.ts'
import { hasCode, RestoreError } from '../../src/errors.ts'
import { toLsn, zeroLsn } from '../../src/history/lsn.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { emptyState } from '../../src/history/state-checksum.ts'
import { databaseRecordKey, leaseKey, manifestKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import { listRestorePoints } from '../../src/restore/restore-points.ts'
import { fullBatch } from '../../src/segment/full-batch.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { pageHash } from '../../src/util/page-hash.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { segmentOf } from '../support/segment-of.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { backupChains, type KnownBackup, SampleDatabase } from './support/sample-database.ts'
import { flipped, readObjects } from './support/stored-objects.ts'

class Scene implements Disposable {
  readonly folder = temporaryFolder()
  readonly storage = new MemoryStorage()
  readonly app = new SampleDatabase(this.folder.path)
  known: KnownBackup[] = []

  static async make(): Promise<Scene> {
    const scene = new Scene()
    scene.known = await backupChains(scene.app, await Repository.init(scene.storage))
    return scene
  }

  repository = () => Repository.open(this.storage)
  database = async () => (await this.repository()).database('app')

  backup(index: number): KnownBackup {
    const found = this.known.at(index)
    assert.ok(found)
    return found
  }

  async damage(key: string, at?: number): Promise<void> {
    const bytes = (await readObjects(this.storage)).get(key)
    assert.ok(bytes, key)
    await this.storage.put(key, flipped(bytes, at ?? Math.floor(bytes.length / 2)))
  }

  async restore(index: number, target = this.folder.file('restored.db')) {
    const { metadata, image } = this.backup(index)
    const options = { state: { by: 'backup', id: metadata.id }, targetPath: target, force: true } as const
    const result = await restoreDatabase(await this.database(), options)
    assert.ok(readFileSync(target).equals(image), 'the restored file is the one that was backed up')
    return result
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]()
  }
}

const refused = (object: string) => (error: unknown) =>
  error instanceof RestoreError && error.code === 'INTEGRITY' && error.object === object

describe('with damage in the repository', () => {
  it('a restore of what it hits is refused by name, and the old file stays; all else restores', async () => {
    using scene = await Scene.make()
    const segment = segmentOf(scene.backup(0).metadata)
    await scene.damage(segment)
    const target = scene.folder.file('restored.db')
    writeFileSync(target, 'the old file')
    for (const index of [0, 1, 2]) await assert.rejects(scene.restore(index), refused(segment))
    assert.equal(readFileSync(target, 'utf8'), 'the old file')
    assert.deepEqual(
      readdirSync(scene.folder.path).filter((name) => name.includes('holdfast')),
      [],
    )
    for (const index of [3, 4]) await scene.restore(index)
  })

  it('a restore goes around it where another chain leads to the same state, and says so', async () => {
    for (const region of ['index', 'records'] as const) {
      using scene = await Scene.make()
      const { metadata, image } = scene.backup(2)
      const base = await storeBase(await scene.database(), metadata, image)
      const direct = await scene.restore(2)
      assert.deepEqual([direct.plan.steps.length, direct.warnings], [1, []])
      await scene.damage(base.key, region === 'index' ? base.bytes - 60 : 1000)
      const around = await scene.restore(2)
      assert.equal(around.plan.steps.length, 3)
      assert.match(around.warnings.join(), new RegExp(`Another way.*${base.key}`))
      await scene.damage(segmentOf(scene.backup(1).metadata))
      await assert.rejects(scene.restore(2), (error) => hasCode(error, 'INTEGRITY'))
    }
  })

  it('the newest restorable state is not taken for the newest: the one that broke is refused', async () => {
    using scene = await Scene.make()
    const segment = segmentOf(scene.backup(4).metadata)
    await scene.storage.delete(segment)
    const target = scene.folder.file('restored.db')
    const latest = restoreDatabase(await scene.database(), { state: { by: 'latest' }, targetPath: target })
    await assert.rejects(latest, refused(segment))
    assert.equal(existsSync(target), false)
  })

  it('a backup whose manifest broke is called broken, not unknown; its state restores by LSN, with a warning', async () => {
    using scene = await Scene.make()
    const { metadata, image } = scene.backup(4)
    const key = manifestKey('app', metadata)
    await scene.damage(key)
    const database = await scene.database()
    const target = scene.folder.file('restored.db')
    const restore = (state: Parameters<typeof restoreDatabase>[1]['state']) =>
      restoreDatabase(database, { state, targetPath: target, force: true })
    await assert.rejects(restore({ by: 'backup', id: metadata.id }), refused(key))
    await assert.rejects(restore({ by: 'backup', id: metadata.id.slice(0, 8) }), refused(key))
    await assert.rejects(restore({ by: 'name', name: 'nightly' }), refused(key))
    for (const state of [{ by: 'lsn', lsn: metadata.lsn }, { by: 'latest' }] as const) {
      const { warnings } = await restore(state)
      assert.ok(readFileSync(target).equals(image))
      assert.ok(warnings.some((warning) => warning.includes(key)))
    }
  })

  it('nothing is deleted', async () => {
    using scene = await Scene.make()
    await scene.damage(manifestKey('app', scene.backup(1).metadata))
    const before = (await readObjects(scene.storage)).size
    for (const index of [0, 1, 4])
      await assert.rejects(deleteBackup(await scene.database(), scene.backup(index).metadata.id), (error) =>
        hasCode(error, 'INTEGRITY'),
      )
    assert.equal((await readObjects(scene.storage)).size, before)
  })

  it('nothing is deleted while another backup cannot be reached', async () => {
    using scene = await Scene.make()
    await scene.storage.delete(segmentOf(scene.backup(1).metadata))
    await assert.rejects(deleteBackup(await scene.database(), scene.backup(3).metadata.id), (error) =>
      hasCode(error, 'INTEGRITY', 'BACKUP_NEEDED'),
    )
    const { backups } = await (await scene.database()).catalog()
    assert.equal(backups.length, 5)
  })

  it('backups go on: what cannot be built on is stored anew, with a warning, and restores', async () => {
    for (const break_ of [
      async (scene: Scene) => scene.storage.delete(segmentOf(scene.backup(4).metadata)),
      async (scene: Scene) => scene.storage.delete(segmentOf(scene.backup(3).metadata)),
      async (scene: Scene) => scene.storage.put(segmentOf(scene.backup(3).metadata), new Uint8Array(5)),
    ]) {
      using scene = await Scene.make()
      await break_(scene)
      const next = await scene.app.change().backup(await scene.repository(), { type: 'incremental' })
      scene.known.push(next)
      if (next.metadata.segmentKind === 'base') assert.match(next.warnings.join(), /cannot be built on/)
      await scene.restore(-1)
      const after = await scene.app.change().backup(await scene.repository(), { type: 'incremental' })
      scene.known.push(after)
      assert.equal(after.metadata.segmentKind, 'delta')
      assert.doesNotMatch(after.warnings.join(), /built on|anew/)
      await scene.restore(-1)
    }
  })

  it('backups go on past an unreadable manifest, and say so every time', async () => {
    using scene = await Scene.make()
    const key = manifestKey('app', scene.backup(4).metadata)
    await scene.damage(key)
    const next = await scene.app.change().backup(await scene.repository(), { type: 'incremental' })
    assert.ok(next.metadata.lsn > scene.backup(4).metadata.lsn, 'the LSN of the broken backup is not given again')
    assert.ok(next.warnings.some((warning) => warning.includes(key)))
    scene.known.push(next)
    await scene.restore(-1)
  })

  it('backups go on past a broken record, lease and ledger, which are then whole again', async () => {
    using scene = await Scene.make()
    await verifyRepository(await scene.repository())
    const side = [databaseRecordKey('app'), leaseKey('app'), 'databases/app/verification.json']
    for (const key of side) await scene.damage(key, 120)
    const { findings } = await verifyRepository(await scene.repository(), { level: 'metadata' })
    assert.deepEqual(findings.map(({ object }) => object).sort(), side)
    assert.deepEqual(
      findings.flatMap(({ affectedBackups }) => affectedBackups),
      [],
    )
    const next = await scene.app.change().backup(await scene.repository(), { type: 'incremental' })
    assert.match(next.warnings.join(), /record of app .* written anew/)
    await verifyRepository(await scene.repository())
    assert.deepEqual((await verifyRepository(await scene.repository())).findings, [])
    assert.equal((await (await scene.database()).record())?.location, scene.app.path)
  })

  it('another database does not slip into a history whose record is lost or broken', async () => {
    using scene = await Scene.make()
    using elsewhere = temporaryFolder()
    const other = new SampleDatabase(elsewhere.path)
    for (const break_ of [
      () => scene.damage(databaseRecordKey('app'), 120),
      () => scene.storage.delete(databaseRecordKey('app')),
    ]) {
      await break_()
      await assert.rejects(other.backup(await scene.repository(), { type: 'incremental' }), (error) =>
        hasCode(error, 'NAME_TAKEN'),
      )
    }
    await scene.app.backup(await scene.repository(), { type: 'incremental' })
  })
})

describe('a backup that was interrupted before its manifest', () => {
  async function interrupted(): Promise<Scene> {
    const scene = await Scene.make()
    const lost = await scene.app.change().backup(await scene.repository(), { type: 'incremental' })
    await scene.storage.delete(manifestKey('app', lost.metadata))
    return scene
  }

  it('leaves nothing to complain of', async () => {
    using scene = await interrupted()
    assert.deepEqual((await verifyRepository(await scene.repository())).findings, [])
  })

  it('does not pass for the newest state, which nobody knows to be sound', async () => {
    using scene = await interrupted()
    const database = await scene.database()
    const newest = scene.backup(-1)
    const target = scene.folder.file('restored.db')
    const { warnings, plan } = await restoreDatabase(database, { state: { by: 'latest' }, targetPath: target })
    assert.equal(plan.backup?.id, newest.metadata.id)
    assert.ok(readFileSync(target).equals(newest.image))
    assert.match(warnings.join(), /LSN 6.* no backup names/)
    const before = { by: 'time', time: Date.now() + 1000, before: true } as const
    const dry = await restoreDatabase(database, { state: before, targetPath: target, force: true, dryRun: true })
    assert.equal(dry.plan.lsn, newest.metadata.lsn)
    const { points } = await listRestorePoints(database)
    assert.equal(points.at(-1)?.lsn, newest.metadata.lsn)
  })

  it('is no database yet, if it was the first one', async () => {
    using folder = temporaryFolder()
    const repository = await Repository.init(new MemoryStorage())
    await assert.rejects(createBackup(sqlite(folder.file('missing.db')), repository, { type: 'full' }), (error) =>
      hasCode(error, 'DATABASE_NOT_FOUND'),
    )
    assert.deepEqual(await repository.databaseNames(), [])
    assert.deepEqual((await verifyRepository(repository)).findings, [])
  })
})

/** A second way to a backup's state, as compaction will make it: a base of the same LSN. */
async function storeBase(
  database: Awaited<ReturnType<Scene['database']>>,
  { lsn, capturedAt, source, checksum }: KnownBackup['metadata'],
  image: Buffer,
): Promise<SegmentInfo> {
  const { pageSize, pageCount } = source
  const pages = Uint32Array.from({ length: pageCount }, (_, i) => i + 1)
  const page = (number: number) => image.subarray((number - 1) * pageSize, number * pageSize)
  const hashes = BigUint64Array.from(pages, (number) => pageHash(number, page(number)))
  const time = Date.parse(capturedAt)
  const range = { to: toLsn(lsn), lastTime: time }
  const header = {
    sourceKind: 'sqlite',
    kind: 'base',
    pageSize,
    from: zeroLsn,
    epoch: 1,
    firstTime: time,
    startState: emptyState,
    codec: 'zstd',
    cipher: 'none',
    salt: new Uint8Array(16),
  } as const
  async function* records() {
    yield fullBatch({ pages, values: image, hashes }, pageSize)
  }
  const end = () => ({ ...range, endState: BigInt(`0x${checksum}`), pageCount })
  const silent = { onStored: () => undefined, onVerified: () => undefined }
  return (await storeSegment(database, header, range, records(), end, silent)).info
}
