import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../../src/storage/storage.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { PageSource } from '../../support/page-source.ts'

/** Takes its time with the manifest of a full backup, and then refuses it. */
class RefusingStorage extends MemoryStorage {
  refuses = false

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (!this.refuses || !key.includes('-full-')) return await super.put(key, body, options)
    await sleep(20)
    throw new HoldfastError('STORAGE_DENIED', 'It is refused.')
  }
}

it('a mirroring that ends at a manifest leaves none of those that build on it', async () => {
  const repository = await Repository.init(new MemoryStorage())
  const source = new PageSource().fill(10, 1)
  const mirror = new RefusingStorage()
  await createBackup(source, repository, { type: 'full' })
  await mirrorTo(repository, mirror)
  mirror.refuses = true
  await createBackup(source, repository, { type: 'full' })
  for (let page = 1; page < 4; page += 1)
    await createBackup(source.change(page, 9), repository, { type: 'incremental' })
  await assert.rejects(mirrorTo(repository, mirror))
  const { findings } = await verifyRepository(await Repository.open(mirror))
  assert.deepEqual(findings, [])
})
