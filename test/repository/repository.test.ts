import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { findBackup } from '../../src/repository/catalog.ts'
import { encodeDocument } from '../../src/repository/document.ts'
import { formatKey, markerKey, recoveryKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { getBackupStats } from '../../src/repository/stats.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { PageSource } from '../support/page-source.ts'

const text = async (storage: MemoryStorage, key: string) => Buffer.from(await collectBytes(storage.get(key))).toString()

describe('a repository', () => {
  it('is made once, with instructions beside the data', async () => {
    const storage = new MemoryStorage()
    const made = await Repository.init(storage)
    assert.equal((await Repository.open(storage)).id, made.id)
    assert.match(await text(storage, recoveryKey), /Without Holdfast/)
    const format = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
    assert.equal(await text(storage, formatKey), format, 'and the format, byte for byte')
    await assert.rejects(Repository.init(storage), (error) => hasCode(error, 'REPOSITORY_EXISTS'))
  })

  it('that is not there is refused, and one whose marker was lost is told apart', async () => {
    const storage = new MemoryStorage()
    await assert.rejects(Repository.open(storage), (error) => hasCode(error, 'REPOSITORY_NOT_FOUND'))
    const repository = await Repository.init(storage)
    await createBackup(new PageSource().fill(3, 1), repository, { type: 'full' })
    await storage.delete(markerKey)
    await assert.rejects(Repository.open(storage), (error) => hasCode(error, 'INTEGRITY'))
    assert.equal((await (await Repository.init(storage)).database('app').catalog()).backups.length, 1)
  })

  it('can be made again after an init that was interrupted anywhere', async () => {
    for (let failAt = 0; ; failAt += 1) {
      const storage = new MemoryStorage()
      const faulty = new FaultStorage(storage, { failAt, crash: true })
      await Repository.init(faulty).catch((error: unknown) =>
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error)),
      )
      if (!faulty.tripped) break
      await Repository.init(storage)
      await Repository.open(storage)
    }
  })

  it('of a newer format, or with features unknown here, is refused', async () => {
    const storage = new MemoryStorage()
    await Repository.init(storage)
    const marker = JSON.parse((await text(storage, markerKey)).split('\n').slice(1).join('\n'))
    for (const changes of [{ formatVersion: 2 }, { features: ['teleport'] }]) {
      await storage.put(markerKey, encodeDocument('repository', { ...marker, ...changes }))
      await assert.rejects(Repository.open(storage), (error) => hasCode(error, 'FORMAT_TOO_NEW'))
    }
  })

  it('finds a database by name and by path, and names what there is', async () => {
    const repository = await Repository.init(new MemoryStorage())
    await createBackup(new PageSource('/srv/data/app.db').fill(3, 1), repository, { type: 'full' })
    await createBackup(new PageSource('/srv/other/app.db').fill(3, 1), repository, { type: 'full', database: 'second' })
    assert.deepEqual(await repository.databaseNames(), ['app', 'second'])
    assert.equal((await repository.findDatabase('second')).name, 'second')
    assert.equal((await repository.findDatabase('/srv/other/app.db')).name, 'second')
    assert.equal((await repository.findDatabase('app.db')).name, 'app')
    await assert.rejects(repository.findDatabase('/elsewhere/app.db'), (error) => hasCode(error, 'NAME_NOT_FOUND'))
    await assert.rejects(repository.findDatabase('nothing'), /it holds app, second/)
    assert.throws(
      () => repository.database('../escape'),
      (error) => hasCode(error, 'USAGE'),
    )
  })

  it('finds a backup by the beginning of its id, if that is unambiguous, and by name', async () => {
    const repository = await Repository.init(new MemoryStorage())
    const source = new PageSource().fill(3, 1)
    const { metadata } = await createBackup(source, repository, { type: 'full', name: 'first' })
    await createBackup(source, repository, { type: 'full' })
    const catalog = await repository.database('app').catalog()
    assert.equal(findBackup(catalog, metadata.id.slice(0, 8)).id, metadata.id)
    assert.equal(findBackup(catalog, 'first').id, metadata.id)
    for (const wrong of ['', 'zzzzzzzzzzzz'])
      assert.throws(
        () => findBackup(catalog, wrong),
        (error) => hasCode(error, 'BACKUP_NOT_FOUND'),
      )
  })

  it('counts what it holds', async () => {
    const repository = await Repository.init(new MemoryStorage())
    const source = new PageSource().fill(100, 1)
    assert.equal(getBackupStats(await repository.database('app').catalog()).compressionRatio, 1)
    await createBackup(source, repository, { type: 'full' })
    await createBackup(source.change(1, 1), repository, { type: 'incremental' })
    const stats = getBackupStats(await repository.database('app').catalog())
    assert.deepEqual(stats.byType, { full: 1, incremental: 1, snapshot: 0 })
    assert.equal(stats.databaseBytesProtected, 2 * 100 * 512)
    assert.equal(stats.rawBytes, 101 * 512)
    assert.equal(stats.savedBytes, stats.databaseBytesProtected - stats.storedBytes)
    assert.equal(stats.growth.at(-1)?.storedBytes, stats.storedBytes)
  })
})
