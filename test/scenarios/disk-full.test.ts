/** A full disk at the repository, at the restore's target, in the scratch folder: said so, nothing left, and all goes on once there is space. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { BackupError, hasCode, RestoreError } from '../../src/errors.ts'
import { compactDatabase } from '../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { restoreToMemory } from './support/memory-restore.ts'
import { SampleDatabase } from './support/sample-database.ts'
import { SmallDisk, whyNoSmallDisk } from './support/small-disk.ts'

const skip = whyNoSmallDisk()
const shape = { rows: 3000, pageSize: 4096 }
const diskFull = (error: unknown) => hasCode(error, 'DISK_FULL')

describe('a full disk in the repository', { skip }, () => {
  it('fails a first backup that does not fit, leaves nothing, and lets the next one pass', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(3)
    const app = new SampleDatabase(folder.path, 'app', shape)
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    disk.fill(300_000)
    await assert.rejects(app.backup(repository, { type: 'full' }), (error) => {
      assert.ok(error instanceof BackupError && error.code === 'DISK_FULL', String(error))
      assert.equal(error.partialBackup.type, 'full')
      assert.ok(error.partialBackup.bytesRead > 0)
      return true
    })
    assert.deepEqual(leftovers(disk), [])
    disk.free()
    const { metadata, image } = await app.backup(repository, { type: 'full' })
    assert.ok((await restoreToMemory(repository.database('app'), { by: 'backup', id: metadata.id })).equals(image))
    assert.deepEqual((await verifyRepository(repository)).findings, [])
  })

  it('at whichever write it strikes leaves what was acknowledged, and the same process goes on at once', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(8)
    const app = new SampleDatabase(folder.path, 'app', { rows: 800, pageSize: 512 })
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    const known = [await app.backup(repository, { type: 'full' })]
    let failures = 0
    for (let [blocks, passed] = [0, 0]; passed < 2; blocks++) {
      app.change()
      disk.fill(blocks * 4096)
      try {
        known.push(await app.backup(repository, { type: 'incremental' }))
        passed++
      } catch (error) {
        assert.ok(hasCode(error, 'DISK_FULL'), error instanceof Error ? error.stack : String(error))
        failures++
      }
      disk.free()
      known.push(await app.backup(repository, { type: 'incremental' }))
      assert.deepEqual(leftovers(disk), [])
    }
    assert.ok(failures > 3, `only ${failures} backups met the full disk`)
    assert.deepEqual((await verifyRepository(repository)).findings, [])
    for (const { metadata, image } of known)
      assert.ok((await restoreToMemory(repository.database('app'), { by: 'backup', id: metadata.id })).equals(image))
  })

  it('lets backups be restored, verified and deleted all the same', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(4)
    const app = new SampleDatabase(folder.path, 'app', { rows: 500 })
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    const first = await app.backup(repository, { type: 'full' })
    const second = await app.change().backup(repository, { type: 'full' })
    disk.fill(0)
    const { ok, checked, warnings } = await verifyRepository(repository)
    assert.deepEqual([ok, checked.segments, warnings.length], [true, 2, 1])
    assert.match(warnings.join(), /could not be remembered/)
    const target = folder.file('restored.db')
    await restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath: target })
    assert.ok(readFileSync(target).equals(second.image))
    // A deletion needs the lease, a small file; the copy of the format document makes room for it, and comes back.
    const format = readFileSync(disk.file('repository/FORMAT.md'))
    disk.fill(0)
    await deleteBackup(repository.database('app'), first.metadata.id)
    assert.ok(readFileSync(disk.file('repository/FORMAT.md')).equals(format))
    disk.free()
    assert.deepEqual((await verifyRepository(repository)).findings, [])
  })

  describe('is healed by expiry', () => {
    const day = 86_400_000
    const policy = { last: 1, window: 0 }

    /** Two full backups, and incremental ones of which the next expiry makes one delta, larger than what it finds free. */
    async function nearlyFull(folder: string, disk: SmallDisk) {
      const app = new SampleDatabase(folder, 'app', shape)
      const repository = await Repository.init(await openStorage(disk.file('repository')))
      const database = repository.database('app')
      await app.backup(repository, { type: 'full' })
      await app.change().backup(repository, { type: 'full' })
      const now = Date.now()
      const fillUp = async () => {
        for (let n = 0; n < 3; n += 1) {
          app.run('UPDATE orders SET note = randomblob(200) WHERE id % 3 = 0')
          await app.backup(repository, { type: 'incremental' })
        }
        disk.fill(60_000)
      }
      const isSound = async () => {
        disk.free()
        assert.deepEqual((await verifyRepository(repository)).findings, [])
        assert.ok((await restoreToMemory(database, { by: 'latest' })).equals(app.image()))
        assert.deepEqual(
          readdirSync(disk.file('repository'), { recursive: true, encoding: 'utf8' }).filter((name) =>
            name.includes('.tmp-'),
          ),
          [],
        )
      }
      return { repository, database, now, fillUp, isSound }
    }

    it('which deletes what is due before it merges', async () => {
      using folder = temporaryFolder()
      using disk = new SmallDisk(8)
      const { repository, database, now, fillUp, isSound } = await nearlyFull(folder.path, disk)
      await using _ = repository
      const first = await expireDatabase(database, policy, { now })
      assert.deepEqual([first.drop.length, first.deleted.length, first.waiting.length], [1, 0, 1])
      await fillUp()
      const second = await expireDatabase(database, policy, { now: now + 2 * day })
      assert.deepEqual(
        second.deleted.map(({ key }) => key),
        first.waiting.map(({ key }) => key),
      )
      assert.equal(second.freedBytes, first.waitingBytes)
      assert.ok(second.merged.length > 0 && second.waiting.length > 0)
      assert.equal(second.drop.length, 3)
      await isSound()
    })

    it('which lets go what it can without merging, and frees it when its grace has passed', async () => {
      using folder = temporaryFolder()
      using disk = new SmallDisk(8)
      const { repository, database, now, fillUp, isSound } = await nearlyFull(folder.path, disk)
      await using _ = repository
      await fillUp()
      await assert.rejects(expireDatabase(database, policy, { now: now + day }), (error) => {
        assert.ok(hasCode(error, 'DISK_FULL'), String(error))
        assert.match(
          error.hint ?? '',
          /^4 backups that no rule keeps were let go all the same\. When .* can be deleted\./,
        )
        return true
      })
      assert.equal((await database.catalog()).backups.length, 1)
      const { deleted, merged } = await expireDatabase(database, policy, { now: now + 3 * day })
      assert.deepEqual([deleted.length, merged.length > 0], [1, true])
      await isSound()
    })

    it('at once, where there is no grace', async () => {
      using folder = temporaryFolder()
      using disk = new SmallDisk(8)
      const { repository, database, now, fillUp, isSound } = await nearlyFull(folder.path, disk)
      await using _ = repository
      await fillUp()
      const { deleted, merged, drop } = await expireDatabase(database, policy, { now: now + day, graceMs: 0 })
      assert.deepEqual([deleted.length, merged.length > 0, drop.length], [4, true, 4])
      await isSound()
    })

    it('and by a compaction', async () => {
      using folder = temporaryFolder()
      using disk = new SmallDisk(8)
      const { repository, database, now, fillUp, isSound } = await nearlyFull(folder.path, disk)
      await using _ = repository
      await expireDatabase(database, policy, { now })
      await fillUp()
      const { deleted, merged, freedBytes } = await compactDatabase(database, {
        now: now + 2 * day,
        limits: { maxChain: 2 },
      })
      assert.deepEqual([deleted.length, merged.length > 0], [1, true])
      assert.equal(
        freedBytes,
        deleted.reduce((sum, { bytes }) => sum + bytes, 0),
      )
      await isSound()
    })
  })

  it('brings the format document back when the deletion is refused', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(4)
    const app = new SampleDatabase(folder.path, 'app', { rows: 500 })
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    const { metadata } = await app.backup(repository, { type: 'full' })
    const format = readFileSync(disk.file('repository/FORMAT.md'))
    disk.fill(0)
    await assert.rejects(deleteBackup(repository.database('app'), metadata.id), (error) =>
      hasCode(error, 'BACKUP_NEEDED'),
    )
    assert.ok(readFileSync(disk.file('repository/FORMAT.md')).equals(format))
  })

  it('says what to do when there is no room for a deletion at all', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(4)
    const app = new SampleDatabase(folder.path, 'app', { rows: 500 })
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    const { metadata } = await app.backup(repository, { type: 'full' })
    await repository.storage.delete('FORMAT.md')
    disk.fill(0)
    await assert.rejects(deleteBackup(repository.database('app'), metadata.id), (error) => {
      assert.ok(hasCode(error, 'DISK_FULL'))
      assert.match(error.message, /No space left in the folder .*repository \(0 B free\)/)
      assert.match(error.hint ?? '', /needs a few KiB itself/)
      return true
    })
  })

  it('fails an init, which can be repeated', async () => {
    using disk = new SmallDisk(1)
    disk.fill(0)
    await assert.rejects(Repository.init(await openStorage(disk.file('repository'))), diskFull)
    disk.free()
    await using repository = await Repository.init(await openStorage(disk.file('repository')))
    assert.deepEqual(await repository.databaseNames(), [])
  })
})

describe('a repository that can only be read', { skip }, () => {
  it('restores and verifies, and refuses backups with the reason', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(4)
    const app = new SampleDatabase(folder.path, 'app', { rows: 500 })
    const { image } = await (async () => {
      await using repository = await Repository.init(await openStorage(disk.file('repository')))
      return await app.backup(repository, { type: 'full' })
    })()
    disk.makeReadOnly()
    await using repository = await Repository.open(await openStorage(disk.file('repository')))
    const { ok, warnings } = await verifyRepository(repository)
    assert.deepEqual([ok, warnings.length], [true, 1])
    const target = folder.file('restored.db')
    await restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath: target })
    assert.ok(readFileSync(target).equals(image))
    await assert.rejects(app.backup(repository, { type: 'full' }), (error) => hasCode(error, 'STORAGE_DENIED'))
  })
})

describe('a full disk at the target of a restore', { skip }, () => {
  for (const delta of [false, true]) {
    it(`leaves the old file${delta ? ' (delta)' : ''}, and the restore passes once there is space`, async () => {
      using folder = temporaryFolder()
      using disk = new SmallDisk(8)
      const repository = await Repository.init(new MemoryStorage())
      const app = new SampleDatabase(folder.path, 'app', shape)
      const old = await app.backup(repository, { type: 'full' })
      app.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO orders SELECT i + 100000, 1, randomblob(200) FROM n`)
      const next = await app.backup(repository, { type: 'incremental' })
      const target = disk.file('app.db')
      writeFileSync(target, old.image)
      const restore = () =>
        restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath: target, force: true, delta })
      for (const free of [0, 40_000, next.image.length - old.image.length]) {
        disk.fill(free)
        // Delta mode needs no copy: what it needs grows with the change, and may fit.
        const error = await restore().then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        assert.ok(error instanceof RestoreError && error.code === 'DISK_FULL', `${free} bytes free: ${error}`)
        assert.ok(readFileSync(target).equals(old.image), `${free} bytes free`)
        assert.deepEqual(readdirSync(disk.path).sort(), ['app.db', 'ballast'])
      }
      disk.free()
      assert.equal((await restore()).mode, delta ? 'delta' : 'replace')
      assert.ok(readFileSync(target).equals(next.image))
      assert.deepEqual(readdirSync(disk.path), ['app.db'])
    })
  }

  it('a folder that can only be read is refused', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(4)
    const repository = await Repository.init(new MemoryStorage())
    await new SampleDatabase(folder.path).backup(repository, { type: 'full' })
    disk.makeReadOnly()
    const restore = restoreDatabase(repository.database('app'), {
      state: { by: 'latest' },
      targetPath: disk.file('a.db'),
    })
    await assert.rejects(restore, (error) => hasCode(error, 'ACCESS_DENIED'))
  })
})

describe('a full scratch folder', { skip }, () => {
  it('leaves backups untried in a verification by trial restores, which says so, and leaves nothing', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(2)
    const repository = await Repository.init(new MemoryStorage())
    await new SampleDatabase(folder.path, 'app', shape).backup(repository, { type: 'full' })
    disk.fill(100_000)
    const verify = () => verifyRepository(repository, { level: 'restore', scratchFolder: disk.path })
    const { ok, untried, warnings } = await verify()
    assert.deepEqual([ok, untried], [true, 1])
    assert.match(warnings.join(), /no room for it in/)
    assert.deepEqual(readdirSync(disk.path), ['ballast'])
    disk.free()
    assert.equal((await verify()).untried, 0)
  })
})

/** Files that no listing shows, and segments that no backup names. */
function leftovers(disk: SmallDisk): string[] {
  const files = readdirSync(disk.file('repository'), { recursive: true, encoding: 'utf8' })
  const manifests = files.filter((name) => name.includes('backups/')).length
  const segments = files.filter((name) => name.endsWith('.hfs'))
  return [...files.filter((name) => name.includes('.tmp-')), ...segments.slice(manifests)]
}
