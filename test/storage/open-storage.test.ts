import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../src/errors.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('a storage by its location', () => {
  it('is a folder for a path or a file URL, and is not created by opening', async () => {
    using folder = temporaryFolder()
    const path = folder.file('back ups')
    const url = pathToFileURL(path).href
    assert.equal((await openStorage(path)).url, url)
    assert.equal((await openStorage(url)).url, url)
    assert.equal(existsSync(path), false)
  })

  it('takes a relative path from the working directory, and a tilde as it stands', async () => {
    assert.equal((await openStorage('./backups')).url, pathToFileURL(resolve('backups')).href)
    assert.equal((await openStorage('~/backups')).url, pathToFileURL(resolve('~', 'backups')).href)
    assert.equal((await openStorage('a/b:c')).url, pathToFileURL(resolve('a/b:c')).href)
  })

  it('is the same memory for the same name, and one of its own without a name', async () => {
    const name = `memory:${randomUUID()}`
    await (await openStorage(name)).put('a', Buffer.from('1'))
    assert.equal((await (await openStorage(name)).head('a'))?.size, 1)
    await (await openStorage('memory:')).put('a', Buffer.from('1'))
    assert.equal(await (await openStorage('memory:')).head('a'), undefined)
  })

  it('of an unknown kind is refused, with the kinds there are and without its secrets', async () => {
    await assert.rejects(openStorage('gopher://user:secret@host/x?key=secret'), (thrown) => {
      assert.ok(thrown instanceof HoldfastError)
      assert.equal(thrown.code, 'USAGE')
      assert.match(thrown.hint ?? '', /file: or memory:/)
      assert.doesNotMatch(`${thrown.message} ${thrown.object}`, /secret/)
      return true
    })
  })

  it('that is malformed is refused', async () => {
    for (const location of [
      '',
      'a\0b',
      'file:./backups',
      'file:backups',
      'file:',
      'file://host/path',
      'file:///a%2Fb',
      'constructor:x',
    ]) {
      await assert.rejects(openStorage(location), { code: 'USAGE' })
    }
  })
})
