import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { distinctName } from '../../../src/agent/discovery/database-names.ts'
import { type KnownPlaces, NameBook } from '../../../src/agent/discovery/name-book.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const noWarning = (message: string): void => assert.fail(message)
const dashed = { path: '/t/x-a.db', wanted: 'x-a' }
const nested = { path: '/t/x/a.db', wanted: 'x-a' }
const dashedName = distinctName(dashed.wanted, dashed.path)

/** A repository with these databases, which may be away. */
function places(locations: Readonly<Record<string, string>>) {
  const asked: string[] = []
  const place = { isAway: false, asked }
  const known: KnownPlaces = {
    isAt: async (name, path) => {
      asked.push(name)
      return place.isAway ? undefined : locations[name] === path
    },
  }
  return Object.assign(place, { known })
}

async function book(): Promise<{ path: string; names: NameBook } & Disposable> {
  const folder = temporaryFolder()
  const path = folder.file('names.json')
  return { path, names: await NameBook.read(path, noWarning), [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const all = (names: NameBook) => [dashed, nested].map(({ path, wanted }) => names.nameOf(path, wanted))

describe('names of which nothing is remembered', () => {
  it('are those that the repository has, in whatever order files are found', async () => {
    for (const wishes of [
      [dashed, nested],
      [nested, dashed],
    ]) {
      using scene = await book()
      const { known } = places({ 'x-a': nested.path, [dashedName]: dashed.path })
      await scene.names.recall(wishes, known)
      assert.deepEqual(all(scene.names), [dashedName, 'x-a'])
    }
  })

  it('leave to a file that is new what the repository does not have for others that are there', async () => {
    using scene = await book()
    await scene.names.recall([dashed, nested], places({ 'x-a': nested.path }).known)
    assert.deepEqual(all(scene.names), [dashedName, 'x-a'])
  })

  it('are looked up once', async () => {
    using scene = await book()
    const { known, asked } = places({})
    await scene.names.recall([dashed, nested], known)
    assert.deepEqual(all(scene.names), ['x-a', distinctName(nested.wanted, nested.path)])
    asked.length = 0
    await scene.names.recall([dashed, nested], known)
    assert.deepEqual(asked, [])
    await scene.names.save()
    await (await NameBook.read(scene.path, noWarning)).recall([dashed, nested], known)
    assert.deepEqual(asked, [])
  })

  it('are not for good while the repository is away', async () => {
    using scene = await book()
    const place = places({ 'x-a': nested.path, [dashedName]: dashed.path })
    place.isAway = true
    await scene.names.recall([dashed, nested], place.known)
    assert.equal(all(scene.names)[0], 'x-a')
    assert.equal(scene.names.nameOf('/t/b.db', 'b'), 'b')
    await scene.names.save()
    const written = readFileSync(scene.path, 'utf8')
    assert.match(written, /"\/t\/b\.db"/)
    assert.doesNotMatch(written, /x-a/)

    place.isAway = false
    await scene.names.recall([dashed, nested], place.known)
    assert.deepEqual(all(scene.names), [dashedName, 'x-a'])
    await scene.names.save()
    assert.deepEqual(all(await NameBook.read(scene.path, noWarning)), [dashedName, 'x-a'])
  })

  it('never take one that a file has that is remembered', async () => {
    using scene = await book()
    assert.equal(scene.names.nameOf('/u/x-a.db', 'x-a'), 'x-a')
    await scene.names.recall([nested], places({ 'x-a': nested.path }).known)
    assert.equal(scene.names.nameOf(nested.path, 'x-a'), distinctName('x-a', nested.path))
  })
})
