import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { describe, it } from 'node:test'
import { LocalStorage } from '../../src/storage/local.ts'
import { assertDurable, recordDurability } from '../support/durability-log.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('what the local storage has put is on the disk when it says so', () => {
  for (const [how, options] of [
    ['put', {}],
    ['put if absent', { ifAbsent: true }],
  ] as const) {
    it(how, async () => {
      using folder = temporaryFolder()
      using log = await recordDurability()
      const storage = new LocalStorage(folder.file('storage'))
      for (const key of ['a/b/first', 'a/b/second']) {
        await storage.put(key, Buffer.from(key), options)
        assertDurable(log.events, folder.file(`storage/${key}`))
      }
    })
  }

  it('put if it matches', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.file('storage'))
    const { etag } = await storage.put('a/b', Buffer.from('1'))
    using log = await recordDurability()
    await storage.put('a/b', Buffer.from('2'), { ifMatch: etag })
    assertDurable(log.events, folder.file('storage/a/b'))
  })

  it('folders that it made, up to one that was there', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.file('storage'))
    using log = await recordDurability()
    await storage.put('a/b/c', Buffer.from('1'))
    for (const path of ['', 'storage', 'storage/a', 'storage/a/b'])
      assert.ok(
        log.events.some(({ what, inode }) => what === 'sync' && inode === statSync(folder.file(path)).ino),
        `${path} was flushed`,
      )
  })
})
