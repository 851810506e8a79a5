import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type ErrorCode, hasCode } from '../../src/errors.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { failingFlush } from '../support/failing-flush.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { mounting, smallFileSystem } from './fixtures/small-file-system.ts'

const says = (code: ErrorCode) => (thrown: unknown) => hasCode(thrown, code)

async function* stream(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = Buffer.alloc(100_000, 1)
  for (let given = 0; given < bytes; given += chunk.length) yield chunk
}

function replaceByEmpty(path: string): void {
  renameSync(path, `${path}.away`)
  mkdirSync(path)
}

describe('the local storage on a bad day', () => {
  for (const [where, takeAway] of [
    ['missing', (path: string) => renameSync(path, `${path}.away`)],
    ['an empty mount point', replaceByEmpty],
  ] as const) {
    it(`puts nothing where its folder was, once that is ${where}: it would be hidden when it is back`, async () => {
      using folder = temporaryFolder()
      const root = folder.file('disk')
      const storage = new LocalStorage(root)
      await storage.put('a/former', Buffer.from('1'))
      takeAway(root)
      await assert.rejects(storage.put('a/new', Buffer.from('2')), says('STORAGE_TRANSIENT'))
      assert.deepEqual(existsSync(root) ? readdirSync(root) : [], [])
      rmSync(root, { recursive: true, force: true })
      renameSync(`${root}.away`, root)
      await storage.put('a/new', Buffer.from('2'))
      assert.deepEqual(readdirSync(`${root}/a`), ['former', 'new'])
    })
  }

  it('begins no folder in an empty mount point, whether it has only read before, or had no such folder yet', async () => {
    for (const key of ['databases/new/lease.json', 'top']) {
      for (const how of ['head', 'get', 'put'] as const) {
        using folder = temporaryFolder()
        const root = folder.file('disk')
        await new LocalStorage(root).put('a/former', Buffer.from('1'))
        const storage = new LocalStorage(root)
        if (how === 'get') await collectBytes(storage.get('a/former'))
        else assert.ok(await storage.head('a/former'))
        if (how === 'put') await storage.put('a/second', Buffer.from('2'))
        replaceByEmpty(root)
        await assert.rejects(storage.put(key, Buffer.from('3')), says('STORAGE_TRANSIENT'))
        assert.deepEqual(readdirSync(root), [])
        rmSync(root, { recursive: true })
        renameSync(`${root}.away`, root)
        await storage.put(key, Buffer.from('3'))
        assert.ok(await storage.head(key))
      }
    }
  })

  it('publishes nothing, and leaves nothing behind, when the disk fails while a large object is flushed', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('a/small', Buffer.from('1'))
    using broken = await failingFlush()
    await assert.rejects(storage.put('a/large', stream(70_000_000)), { object: 'a/large', message: /EIO|i\/o error/i })
    assert.equal(broken.calls(), 1)
    assert.deepEqual(readdirSync(folder.file('a')), ['small'])
  })

  it('says DISK_FULL when the disk is full, and leaves no part behind', mounting, async () => {
    using disk = smallFileSystem(1024)
    const storage = new LocalStorage(disk.path)
    await storage.put('a/former', Buffer.from('former'))
    for (const body of [() => stream(3_000_000), () => Buffer.alloc(3_000_000, 1)]) {
      await assert.rejects(storage.put('a/large', body()), says('DISK_FULL'))
      await assert.rejects(storage.put('a/former', body(), { ifAbsent: true }), says('DISK_FULL'))
    }
    assert.deepEqual(readdirSync(`${disk.path}/a`), ['former'])
    assert.equal(Buffer.from(await collectBytes(storage.get('a/former'))).toString(), 'former')
    await storage.put('a/small', Buffer.alloc(500_000, 1))
    assert.equal((await storage.head('a/small'))?.size, 500_000)
  })

  it('says that no more files fit where there is space, but none for another file', mounting, async () => {
    using disk = smallFileSystem(1024, 12)
    const storage = new LocalStorage(disk.path)
    await storage.put('a/former', Buffer.from('former'))
    await assert.rejects(
      async () => {
        for (let n = 0; n < 20; n += 1) await storage.put(`a/${n}`, Buffer.from('small'))
      },
      (error) => hasCode(error, 'DISK_FULL') && /can hold no more files/.test(error.message),
    )
    await storage.delete('a/0')
    await storage.put('a/other', Buffer.from('small'))
  })

  it('says STORAGE_DENIED where it may not write, and still reads', mounting, async () => {
    using disk = smallFileSystem(1024)
    const former = await new LocalStorage(disk.path).put('a/former', Buffer.from('former'))
    disk.makeReadOnly()
    const storage = new LocalStorage(disk.path)
    await assert.rejects(storage.put('a/new', Buffer.from('1')), says('STORAGE_DENIED'))
    await assert.rejects(storage.put('b/new', Buffer.from('1'), { ifAbsent: true }), says('STORAGE_DENIED'))
    await assert.rejects(storage.put('a/former', Buffer.from('1'), { ifMatch: former.etag }), says('STORAGE_DENIED'))
    await assert.rejects(storage.delete('a/former'), says('STORAGE_DENIED'))
    assert.equal(Buffer.from(await collectBytes(storage.get('a/former'))).toString(), 'former')
    assert.equal((await storage.head('a/former'))?.etag, former.etag)
  })
})
