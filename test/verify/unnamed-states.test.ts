/** A manifest that is gone is found by what it named, unless that was left by a backup that was interrupted, or is being deleted. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { HoldfastError } from '../../src/errors.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { manifestKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { unnamedSegments } from '../../src/verify/unnamed-states.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { segment } from '../history/support/segments.ts'
import { PageSource } from '../support/page-source.ts'

class FailingStorage extends MemoryStorage {
  failsAt: RegExp | undefined

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (this.failsAt?.test(key)) throw new HoldfastError('STORAGE_DENIED', 'It is refused.')
    return await super.put(key, body, options)
  }

  override async delete(key: string): Promise<void> {
    if (this.failsAt?.test(key)) throw new HoldfastError('STORAGE_DENIED', 'It is refused.')
    await super.delete(key)
  }
}

async function threeBackups() {
  const storage = new FailingStorage()
  const repository = await Repository.init(storage)
  const source = new PageSource().fill(20, 1)
  const made: string[] = []
  const backUp = async (type: 'full' | 'incremental', page: number): Promise<string> => {
    const { metadata } = await createBackup(source.change(page, 9), repository, { type })
    made.push(manifestKey('app', metadata))
    return metadata.id
  }
  const ids = [await backUp('full', 1), await backUp('incremental', 2), await backUp('full', 3)] as const
  const warnings = async () => {
    const result = await verifyRepository(await Repository.open(storage), { level: 'metadata' })
    assert.deepEqual(result.findings, [])
    return result.warnings
  }
  return { storage, repository, ids, manifests: made, backUp, warnings }
}

for (const [which, index, lsn] of [
  ['the newest backup', 2, 3],
  ['one on which nothing builds', 1, 2],
] as const)
  it(`a verification says which state lost the manifest of ${which}`, async () => {
    const { storage, manifests, warnings } = await threeBackups()
    assert.deepEqual(await warnings(), [])
    await storage.delete(manifests[index] ?? '')
    const [warning = '', ...more] = await warnings()
    assert.deepEqual(more, [])
    assert.match(
      warning,
      new RegExp(`^app: a state of .* \\(LSN ${lsn}, .*\\.hfs\\) is stored, but no backup names it: `),
    )
  })

it('a verification says nothing of a state that an interrupted backup left', async () => {
  const { storage, backUp, warnings } = await threeBackups()
  // The segment itself comes into being; neither is it named nor can it be taken back.
  storage.failsAt = /\/backups\//
  const keep = storage.delete.bind(storage)
  storage.delete = async (key) => (key.endsWith('.hfs') ? undefined : await keep(key))
  await assert.rejects(backUp('full', 4))
  storage.delete = keep
  storage.failsAt = undefined
  const { segments } = await (await Repository.open(storage)).database('app').catalog()
  assert.equal(segments.length, 4)
  assert.deepEqual(await warnings(), [])
})

it('a verification says nothing of what is being deleted on purpose', async () => {
  const { storage, repository, ids, backUp, warnings } = await threeBackups()
  storage.failsAt = /\.hfs$/
  await assert.rejects(deleteBackup(repository.database('app'), ids[1]))
  storage.failsAt = undefined
  assert.deepEqual(await warnings(), [])
  await backUp('full', 5)
  await expireDatabase(repository.database('app'), { last: 1, window: 0 })
  const { segments, backups } = await repository.database('app').catalog()
  assert.ok(segments.length > backups.length)
  assert.deepEqual(await warnings(), [])
})

it('a state is not lost that logs lead to, whatever base was stored of it besides', async () => {
  const { repository } = await threeBackups()
  const { backups, ...catalog } = await repository.database('app').catalog()
  const first = backups.slice(0, 1)
  const followed = [segment('base', 0, 1), segment('log', 1, 9), segment('base', 0, 5)]
  const keysOf = (segments: readonly SegmentInfo[]) =>
    unnamedSegments({ ...catalog, backups: first, segments }).map(({ key }) => key)
  assert.deepEqual(keysOf(followed), [])
  const beyond = segment('base', 0, 12)
  assert.deepEqual(keysOf([...followed, beyond]), [beyond.key])
})
