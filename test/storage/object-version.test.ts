import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { it } from 'node:test'
import { objectInfo, stampVersion } from '../../src/storage/local/object-version.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

it('a file is stamped later than it was created, so that a reused inode cannot bring back an earlier etag', async () => {
  using folder = temporaryFolder()
  const handle = await open(folder.file('object'), 'w')
  try {
    // As if the clock had been read at the very end of the creation, and had been set back since.
    for (const createdAt of [Date.now(), Date.now() + 50]) {
      await stampVersion(handle, createdAt)
      const { modifiedAt } = objectInfo('object', await handle.stat({ bigint: true }))
      assert.ok(modifiedAt > createdAt, `${modifiedAt} is not later than ${createdAt}`)
      assert.ok(modifiedAt <= Math.max(Date.now(), createdAt + 1), `${modifiedAt} lies in the future`)
    }
  } finally {
    await handle.close()
  }
})

it('an etag changes with the inode, the time and the size', () => {
  const facts = { ino: 1n, mtimeNs: 2_000_000n, size: 3n }
  const variants = [facts, { ...facts, ino: 4n }, { ...facts, mtimeNs: 2_000_001n }, { ...facts, size: 4n }]
  assert.equal(new Set(variants.map((one) => objectInfo('object', one).etag)).size, 4)
  assert.equal(objectInfo('object', facts).modifiedAt, 2)
})
