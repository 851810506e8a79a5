import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openOrInit } from '../../src/backup/init-repository.ts'
import { hasCode } from '../../src/errors.ts'
import { KnownPlaces, openKnown } from '../../src/repository/known-places.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The state folder of this process, for as long as the test runs. */
function withState(): Disposable & { readonly file: (name: string) => string } {
  const folder = temporaryFolder()
  const before = process.env['XDG_STATE_HOME']
  process.env['XDG_STATE_HOME'] = folder.path
  return {
    file: (name) => folder.file(name),
    [Symbol.dispose]() {
      if (before === undefined) delete process.env['XDG_STATE_HOME']
      else process.env['XDG_STATE_HOME'] = before
      folder[Symbol.dispose]()
    },
  }
}

describe('a place where a repository was', () => {
  it('gets no other one by itself, as when its disk is not mounted', async () => {
    using state = withState()
    const place = state.file('disk')
    const { id } = await openOrInit(new LocalStorage(place), {})
    renameSync(place, `${place}.away`)
    for (const isThere of [false, true]) {
      if (isThere) mkdirSync(place)
      await assert.rejects(openOrInit(new LocalStorage(place), {}), (error) => {
        assert.ok(hasCode(error, 'REPOSITORY_NOT_FOUND'))
        assert.match(error.message, new RegExp(id))
        assert.match(error.hint ?? '', /not mounted/)
        return true
      })
      assert.deepEqual(existsSync(place) ? readdirSync(place) : [], [])
    }
    rmSync(place, { recursive: true })
    renameSync(`${place}.away`, place)
    assert.equal((await openOrInit(new LocalStorage(place), {})).id, id)
  })

  it('is remembered by whoever opens it, and gets another one by being told so', async () => {
    using state = withState()
    const place = state.file('disk')
    const storage = new LocalStorage(place)
    const { id } = await Repository.init(storage)
    assert.equal(await new KnownPlaces().idAt(storage.url), undefined)
    await openKnown(storage)
    assert.equal(await new KnownPlaces().idAt(storage.url), id)
    rmSync(place, { recursive: true })
    const again = new LocalStorage(place)
    await assert.rejects(openOrInit(again, {}), (error) => hasCode(error, 'REPOSITORY_NOT_FOUND'))
    const other = await Repository.init(again)
    assert.equal((await openOrInit(again, {})).id, other.id)
    assert.equal(await new KnownPlaces().idAt(storage.url), other.id)
  })

  it('is made where none was, however often, in folders and in memory', async () => {
    using state = withState()
    for (const storage of [new LocalStorage(state.file('one')), new MemoryStorage()]) {
      const { id } = await openOrInit(storage, {})
      assert.equal((await openOrInit(storage, {})).id, id)
    }
    const { places } = JSON.parse(readFileSync(state.file('holdfast/repositories.json'), 'utf8'))
    assert.equal(Object.keys(places).length, 1)
  })

  it('is forgotten without harm where the file that remembers it is damaged', async () => {
    using state = withState()
    const storage = new LocalStorage(state.file('one'))
    await openOrInit(storage, {})
    writeFileSync(state.file('holdfast/repositories.json'), '{')
    const { id } = await openOrInit(storage, {})
    assert.equal(await new KnownPlaces().idAt(storage.url), id)
  })
})
