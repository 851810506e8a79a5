/** A sector of the repository's disk cannot be read any more: what lies in it is damaged, and costs nothing else. */
import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { it, type TestContext } from 'node:test'
import { Repository } from '../../src/repository/repository.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { restoreToMemory } from './support/memory-restore.ts'
import { backupChains, SampleDatabase } from './support/sample-database.ts'

/** From now on the disk cannot read the file of this key, as after a bad sector; opening it works. */
async function spoilReads(context: TestContext, key: string): Promise<void> {
  await using handle = await open('/dev/null')
  const handles: FileHandle = Object.getPrototypeOf(handle)
  const { read } = handles
  context.mock.method(handles, 'read', function (this: FileHandle, ...args: unknown[]) {
    if (!readlinkSync(`/proc/self/fd/${this.fd}`).endsWith(`/${key}`)) return Reflect.apply(read, this, args)
    return Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }))
  })
}

it('an object that the disk cannot read is named, and all that does not need it is restored', async (context) => {
  using folder = temporaryFolder()
  const repository = await Repository.init(await openStorage(folder.file('repository')))
  const backups = await backupChains(new SampleDatabase(folder.path), repository)
  const database = repository.database('app')
  const [first, second] = backups
  assert.ok(first !== undefined && second?.metadata.segment)
  const { segments } = await database.catalog()
  const manifests: string[] = []
  for await (const { key } of repository.storage.list('databases/app/backups/')) manifests.push(key)
  const manifest = manifests.find((key) => key.includes(second.metadata.id))
  assert.ok(manifest)
  for (const key of [manifest, second.metadata.segment]) {
    assert.ok(key === manifest || segments.some((segment) => segment.key === key))
    await spoilReads(context, key)
    const { findings } = await verifyRepository(repository)
    assert.deepEqual(new Set(findings.map(({ object }) => object)), new Set([key]))
    const image = await restoreToMemory(database, { by: 'backup', id: first.metadata.id })
    assert.ok(image.equals(first.image))
    const lost = restoreToMemory(database, { by: 'backup', id: second.metadata.id })
    await assert.rejects(lost, /cannot read the object/)
    context.mock.restoreAll()
  }
  assert.ok((await verifyRepository(repository)).ok)
})
