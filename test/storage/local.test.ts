import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { hasCode } from '../../src/errors.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const keysOf = async (storage: LocalStorage, prefix = '') => {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}

describe('the local storage in its folder', () => {
  it('creates its folder with the first put and not before', async () => {
    using folder = temporaryFolder()
    const root = folder.file('deep/er/storage')
    const storage = new LocalStorage(root)
    assert.equal(await storage.head('a/b'), undefined)
    assert.deepEqual(await keysOf(storage), [])
    await assert.rejects(collectBytes(storage.get('a/b')), (thrown) => hasCode(thrown, 'OBJECT_NOT_FOUND'))
    await storage.delete('a/b')
    assert.deepEqual(readdirSync(folder.path), [])
    await storage.put('a/b', Buffer.from('b'))
    assert.deepEqual(readdirSync(join(root, 'a')), ['b'])
  })

  it('keeps objects as plain files that only the owner can read', async () => {
    using folder = temporaryFolder()
    const root = folder.file('storage')
    const storage = new LocalStorage(root)
    await storage.put('a/b/plain', Buffer.from('1'))
    await storage.put('a/b/created', Buffer.from('2'), { ifAbsent: true })
    const { etag } = await storage.put('a/b/swapped', Buffer.from('3'))
    await storage.put('a/b/swapped', Buffer.from('3'), { ifMatch: etag })
    const mode = (name: string) => (statSync(join(root, name)).mode & 0o777).toString(8)
    assert.deepEqual(['', 'a', 'a/b'].map(mode), ['700', '700', '700'])
    assert.deepEqual(['a/b/plain', 'a/b/created', 'a/b/swapped'].map(mode), ['600', '600', '600'])
    assert.equal(mode('.lock@holdfast'), '600')
    assert.equal(statSync(join(root, 'a/b/created')).nlink, 1)
  })

  it('puts into a folder that somebody removed in between', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.file('storage'))
    await storage.put('other', Buffer.from('1'))
    await storage.put('a/b/c', Buffer.from('1'))
    mkdirSync(folder.file('elsewhere'))
    renameSync(folder.file('storage/a'), folder.file('elsewhere/a'))
    await storage.put('a/b/c', Buffer.from('2'))
    assert.deepEqual(await keysOf(storage), ['a/b/c', 'other'])
  })

  it('neither lists nor returns what is no object: foreign names, folders, broken links', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('a/object', Buffer.from('1'))
    writeFileSync(folder.file('a/not a key'), '')
    writeFileSync(folder.file('a/.tmp-nobody@0000000000000000'), '')
    mkdirSync(folder.file('a/empty'))
    symlinkSync('nowhere', folder.file('a/broken'))
    assert.deepEqual(await keysOf(storage), ['a/object'])
    assert.equal(await storage.head('a/empty'), undefined)
    await storage.delete('a/empty')
    assert.ok(statSync(folder.file('a/empty')).isDirectory())
  })

  it('follows links to other folders and files', async () => {
    using folder = temporaryFolder()
    const elsewhere = new LocalStorage(folder.file('elsewhere'))
    await elsewhere.put('b/object', Buffer.from('1'))
    const storage = new LocalStorage(folder.file('storage'))
    await storage.put('a-1', Buffer.from('2'))
    symlinkSync(folder.file('elsewhere'), folder.file('storage/a'))
    symlinkSync(folder.file('elsewhere/b/object'), folder.file('storage/linked'))
    assert.deepEqual(await keysOf(storage), ['a-1', 'a/b/object', 'linked'])
  })

  it('refuses a key that is the folder of another, in whichever order', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('a/b', Buffer.from('1'))
    await storage.put('c', Buffer.from('1'))
    for (const key of ['a', 'c/d', 'c/d/e']) {
      await assert.rejects(storage.put(key, Buffer.from('2')), (thrown) => hasCode(thrown, 'USAGE'))
    }
    assert.deepEqual(await keysOf(storage), ['a/b', 'c'])
    assert.deepEqual(readdirSync(folder.path, { recursive: true }).sort(), ['a', 'a/b', 'c'])
  })

  it('notices an object that is cut while it is read', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('object', Buffer.alloc(4 << 20))
    const readAll = async () => {
      for await (const _ of storage.get('object')) writeFileSync(folder.file('object'), 'short')
    }
    await assert.rejects(readAll(), (thrown) => hasCode(thrown, 'STORAGE_CORRUPT'))
  })

  it('has the URL of its folder', () => {
    using folder = temporaryFolder()
    assert.equal(new LocalStorage(folder.file('a b')).url, pathToFileURL(folder.file('a b')).href)
  })
})
