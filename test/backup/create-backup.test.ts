import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { BackupError, hasCode } from '../../src/errors.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { getBackupStats } from '../../src/repository/stats.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'
import { readState } from '../support/read-state.ts'
import { segmentOf } from '../support/segment-of.ts'

const newRepository = async () => Repository.init(new MemoryStorage())

const failsWith = (code: string) => (error: unknown) => error instanceof BackupError && error.code === code

describe('createBackup', () => {
  it('stores the whole state in a full backup', async () => {
    const source = new PageSource().fill(100, 1)
    const repository = await newRepository()
    const { metadata } = await createBackup(source, repository, { type: 'full' })
    assert.equal(metadata.type, 'full')
    assert.equal(metadata.lsn, 1)
    assert.equal(metadata.parent, null)
    assert.equal(metadata.pages, 100)
    assert.deepEqual(await readState(repository.database('app'), 1), source.image())
  })

  it('stores only the changed pages in an incremental backup', async () => {
    const source = new PageSource().fill(100, 1)
    const repository = await newRepository()
    const full = await createBackup(source, repository, { type: 'full' })
    source.change(7, 200).change(90, 201)
    const { metadata } = await createBackup(source, repository, { type: 'incremental' })
    assert.equal(metadata.pages, 2)
    assert.equal(metadata.parent, full.metadata.id)
    assert.deepEqual(await readState(repository.database('app'), 2), source.image())
  })

  it('builds on any earlier backup', async () => {
    const source = new PageSource().fill(50, 1)
    const repository = await newRepository()
    const full = await createBackup(source, repository, { type: 'full' })
    await createBackup(source.change(1, 9), repository, { type: 'incremental' })
    const { metadata } = await createBackup(source.change(2, 9), repository, {
      type: 'incremental',
      parent: full.metadata.id,
    })
    assert.equal(metadata.pages, 2)
    assert.match(segmentOf(metadata), /0000000000000001-0000000000000003-/)
    assert.deepEqual(await readState(repository.database('app'), 3), source.image())
  })

  it('follows shrinking, growing and emptying', async () => {
    const source = new PageSource().fill(64, 1)
    const repository = await newRepository()
    await createBackup(source, repository, { type: 'full' })
    const sizes = [10, 80, 0, 5]
    for (const [i, size] of sizes.entries()) {
      source.fill(size, i + 2)
      const { metadata } = await createBackup(source, repository, { type: 'incremental' })
      assert.deepEqual(await readState(repository.database('app'), metadata.lsn), source.image())
    }
  })

  it('does not store what shrank away and came back the same only as an old page', async () => {
    const source = new PageSource().fill(20, 1)
    const repository = await newRepository()
    await createBackup(source, repository, { type: 'full' })
    const tail = source.pages.splice(10)
    await createBackup(source, repository, { type: 'incremental' })
    source.pages.push(...tail)
    const { metadata } = await createBackup(source, repository, { type: 'incremental' })
    assert.equal(metadata.pages, 10)
    assert.deepEqual(await readState(repository.database('app'), 3), source.image())
  })

  it('costs nothing when nothing changed, and still dates the state', async () => {
    const source = new PageSource().fill(20, 1)
    const repository = await newRepository()
    const full = await createBackup(source, repository, { type: 'full' })
    const { metadata } = await createBackup(source, repository, { type: 'incremental' })
    assert.equal(metadata.pages, 0)
    assert.equal(metadata.lsn, 2)
    assert.equal(metadata.checksum, full.metadata.checksum)
    assert.deepEqual(await readState(repository.database('app'), 2), source.image())
  })

  it('makes a snapshot of what there is, named and pinned', async () => {
    const source = new PageSource().fill(20, 1)
    const repository = await newRepository()
    const first = await createBackup(source, repository, { type: 'snapshot', name: 'start' })
    assert.equal(first.metadata.segmentKind, 'base')
    const second = await createBackup(source.change(3, 7), repository, { type: 'snapshot', name: 'later' })
    assert.equal(second.metadata.segmentKind, 'delta')
    assert.equal(second.metadata.pinned, true)
    await assert.rejects(createBackup(source, repository, { type: 'snapshot', name: 'later' }), failsWith('NAME_TAKEN'))
    await assert.rejects(createBackup(source, repository, { type: 'snapshot' }), failsWith('USAGE'))
  })

  it('refuses an incremental backup without anything to build on', async () => {
    await assert.rejects(
      createBackup(new PageSource().fill(3, 1), await newRepository(), { type: 'incremental' }),
      failsWith('BACKUP_NOT_FOUND'),
    )
  })

  it('tells a parent of another database from one that does not exist', async () => {
    const repository = await newRepository()
    const other = await createBackup(new PageSource('/data/other.db', 'other').fill(3, 1), repository, { type: 'full' })
    const source = new PageSource().fill(3, 1)
    await createBackup(source, repository, { type: 'full' })
    await assert.rejects(
      createBackup(source, repository, { type: 'incremental', parent: other.metadata.id }),
      /is one of other, not of app/,
    )
    await assert.rejects(
      createBackup(source, repository, { type: 'incremental', parent: 'nosuchbackup' }),
      failsWith('BACKUP_NOT_FOUND'),
    )
  })

  it('stores everything anew, with a warning, when the page size changed', async () => {
    const source = new PageSource().fill(20, 1)
    const repository = await newRepository()
    await createBackup(source, repository, { type: 'full' })
    source.pageSize = 1024
    source.fill(10, 2)
    const { metadata, warnings } = await createBackup(source, repository, { type: 'incremental' })
    assert.equal(metadata.type, 'full')
    assert.match(warnings.join(), /page size changed from 512 to 1024/)
    assert.deepEqual(await readState(repository.database('app'), 2), source.image())
  })

  it('stores everything anew, with a warning, when the newest backup turns out damaged', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const source = new PageSource().fill(20, 1)
    const { metadata } = await createBackup(source, repository, { type: 'full' })
    await storage.delete(segmentOf(metadata))
    const second = await createBackup(source.change(4, 4), repository, { type: 'incremental' })
    assert.equal(second.metadata.segmentKind, 'base')
    assert.match(second.warnings.join(), /cannot be built on/)
    await assert.rejects(
      createBackup(source, repository, { type: 'incremental', parent: metadata.id }),
      failsWith('INTEGRITY'),
    )
  })

  it('keeps two databases with one base name apart', async () => {
    const repository = await newRepository()
    await createBackup(new PageSource('/a/app.db').fill(3, 1), repository, { type: 'full' })
    const other = new PageSource('/b/app.db').fill(3, 2)
    await assert.rejects(createBackup(other, repository, { type: 'full' }), failsWith('NAME_TAKEN'))
    const { metadata } = await createBackup(other, repository, { type: 'full', database: 'app-b' })
    assert.equal(metadata.database, 'app-b')
  })

  it('never goes back in time with the clock', async () => {
    const repository = await newRepository()
    const source = new PageSource().fill(3, 1)
    source.now = () => 1_000_000
    await createBackup(source, repository, { type: 'full' })
    source.now = () => 500_000
    const { metadata, warnings } = await createBackup(source, repository, { type: 'incremental' })
    assert.equal(Date.parse(metadata.capturedAt), 1_000_000)
    assert.match(warnings.join(), /clock went back by 500 s/)
  })

  it('refuses a damaged database, and keeps it when told to, marked', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const source = new PageSource().fill(30, 1)
    source.findings = ['row 3 missing from index orders_by_customer']
    await assert.rejects(createBackup(source, repository, { type: 'full' }), (error) => {
      assert.ok(error instanceof BackupError)
      assert.equal(error.code, 'DATABASE_DAMAGED')
      assert.match(error.message, /row 3 missing/)
      assert.equal(error.partialBackup.database, 'app')
      return true
    })
    assert.deepEqual((await repository.database('app').catalog()).segments, [])
    const { metadata } = await createBackup(source, repository, { type: 'full', allowDamaged: true })
    assert.equal(metadata.damaged, true)
  })

  it('lets only one of two backups of one database run at once', async () => {
    const repository = await newRepository()
    const source = new PageSource().fill(300, 1)
    const results = await Promise.allSettled([
      createBackup(source, repository, { type: 'full' }),
      createBackup(source, repository, { type: 'full' }),
    ])
    const [refused] = results.filter((result) => result.status === 'rejected')
    assert.ok(hasCode(refused?.reason, 'LEASE_HELD'))
    assert.equal((await repository.database('app').catalog()).backups.length, 1)
    const both = await Promise.all([
      createBackup(source, repository, { type: 'full', leaseWaitMs: 30_000 }),
      createBackup(source, repository, { type: 'full', leaseWaitMs: 30_000 }),
    ])
    assert.deepEqual(both.map(({ metadata }) => metadata.lsn).sort(), [2, 3])
  })

  it('writes above every epoch of a history whose lease document was lost: its holder may live on another machine', async () => {
    const storage = new MemoryStorage()
    const database = (await Repository.init(storage)).database('app')
    const source = new PageSource().fill(10, 1)
    const epochs = async () => (await database.catalog()).segments.map(({ epoch }) => epoch)
    await createBackup(source, database.repository, { type: 'full' })
    await storage.delete(leaseKey('app'))
    await createBackup(source.change(1, 9), database.repository, { type: 'incremental' })
    await createBackup(source.change(2, 9), database.repository, { type: 'incremental' })
    assert.deepEqual(await epochs(), [1, 2, 2])
    assert.deepEqual(await readState(database, 3), source.image())
  })

  it('stops when told to, and leaves nothing', async () => {
    const repository = await newRepository()
    const controller = new AbortController()
    const source = new PageSource().fill(3_000, 1)
    const backup = createBackup(source, repository, {
      type: 'full',
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'copy' && done > 100_000) controller.abort()
      },
    })
    await assert.rejects(backup, failsWith('ABORTED'))
    const { segments, backups } = await repository.database('app').catalog()
    assert.deepEqual([segments, backups], [[], []])
    await createBackup(source, repository, { type: 'full' })
  })

  it('does not build on a chain that verification found damaged', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const source = new PageSource().fill(200, 1)
    const { metadata } = await createBackup(source, repository, { type: 'full', codec: 'none' })
    const bytes = await collectBytes(storage.get(segmentOf(metadata)))
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
    await storage.put(segmentOf(metadata), bytes)
    assert.equal((await verifyRepository(repository)).ok, false)
    const next = await createBackup(source.change(3, 3), repository, { type: 'incremental' })
    assert.equal(next.metadata.segmentKind, 'base')
    assert.match(next.warnings.join(), /Verification found damage/)
  })

  it('goes on with the history of the place, whatever name it was given', async () => {
    const repository = await newRepository()
    const source = new PageSource('/b/app.db').fill(3, 2)
    await createBackup(new PageSource('/a/app.db').fill(3, 1), repository, { type: 'full' })
    await createBackup(source, repository, { type: 'full', database: 'second' })
    const { metadata } = await createBackup(source.change(1, 9), repository, { type: 'incremental' })
    assert.equal(metadata.database, 'second')
    assert.equal(metadata.pages, 1)
  })

  it('removes what an interrupted backup left behind, and never gives its number again', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const source = new PageSource().fill(20, 1)
    const first = await createBackup(source, repository, { type: 'full' })
    source.change(1, 1)
    for (let failAt = 0; ; failAt += 1) {
      const faulty = new FaultStorage(storage, { failAt, crash: true })
      const interrupted = async () => createBackup(source, await Repository.open(faulty), { type: 'incremental' })
      await interrupted().catch(() => {})
      const { segments, backups } = await repository.database('app').catalog()
      if (segments.length > backups.length || !faulty.tripped) break
    }
    assert.equal((await repository.database('app').catalog()).segments.length, 2)
    const next = await createBackup(source.change(2, 2), repository, { type: 'incremental' })
    assert.ok(next.metadata.lsn > 2)
    assert.equal(next.metadata.parent, first.metadata.id)
    const { segments } = await repository.database('app').catalog()
    assert.deepEqual(
      segments.map(({ to }) => Number(to)),
      [1, next.metadata.lsn],
    )
    assert.deepEqual(await readState(repository.database('app'), next.metadata.lsn), source.image())
  })

  it('keeps the segment of a backup whose manifest was lost', async () => {
    const repository = await newRepository()
    const source = new PageSource().fill(20, 1)
    await createBackup(source, repository, { type: 'full' })
    const lost = await createBackup(source.change(1, 1), repository, { type: 'incremental' })
    const image = source.image()
    await repository.database('app').deleteManifest(lost.metadata)
    await createBackup(source.change(2, 2), repository, { type: 'incremental' })
    assert.deepEqual(await readState(repository.database('app'), lost.metadata.lsn), image)
  })

  it('takes an unchecked backup for neither damaged nor sound', async () => {
    const repository = await newRepository()
    const source = new PageSource().fill(20, 1)
    const sound = await createBackup(source, repository, { type: 'full' })
    source.level = 'none'
    await createBackup(source, repository, { type: 'full', validation: 'none' })
    const { newestGood } = getBackupStats(await repository.database('app').catalog())
    assert.equal(newestGood?.id, sound.metadata.id)
    await assert.rejects(deleteBackup(repository.database('app'), sound.metadata.id), (error) =>
      hasCode(error, 'BACKUP_NEEDED'),
    )
  })
})
