import assert from 'node:assert/strict'
import { it } from 'node:test'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

/** A storage that says that it stored what it did not quite store: one bit of every base is another. */
function flippingStorage(inner: BackupStorage): BackupStorage {
  return {
    url: inner.url,
    capabilities: inner.capabilities,
    put: async (key, body, options) => {
      if (!key.endsWith('-base.hfs')) return await inner.put(key, body, options)
      // Kept whole first: a segment's chunks share their memory, so collecting them would spoil more than that bit.
      await inner.put(key, body, options)
      const bytes = Buffer.from(await collectBytes(inner.get(key)))
      const middle = bytes.length >>> 1
      bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
      return await inner.put(key, bytes)
    },
    get: (key, options) => inner.get(key, options),
    head: (key, options) => inner.head(key, options),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key, options) => inner.delete(key, options),
    close: () => inner.close(),
  }
}

it('a capture does not begin on a first state that the repository did not store as it was', async () => {
  const rig = await Rig.make()
  const follow = async (storage: BackupStorage) =>
    await followDatabase(rig.database, await Repository.open(storage), {
      stateFolder: '/state',
      clock: rig.clock,
      files: rig.files.as(),
      syncIntervalMs: 100,
    })
  await assert.rejects(follow(flippingStorage(rig.storage)), (error) => hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT'))
  assert.equal(rig.database.followers, 0)
  const random = seededRandom(71)
  rig.database.commitRandom(random)
  await using capture = await follow(rig.storage)
  rig.database.commitRandom(random)
  const lsn = await capture.sync()
  const { segments } = await (await rig.repository()).catalog()
  assert.equal(segments.filter(({ kind }) => kind === 'base').length, 2, 'it is stored anew, under another number')
  assert.ok(lsn > 2)
})
