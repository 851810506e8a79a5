import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { GlobWatch } from '../../../src/agent/discovery/glob-watch.ts'
import { whyVanished } from '../../../src/agent/discovery/vanished.ts'
import { observeMissing } from '../../../src/agent/notify/conditions/missing.ts'
import { formatTime } from '../../../src/util/format-time.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { databaseConfig } from '../support/database-config.ts'

const noWarning = (message: string): void => assert.fail(message)

describe('databases that a pattern no longer finds', () => {
  const paths = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const there = { state: 'there', device: 1, isEmpty: false } as const

  it('were deleted if they are few, and their folder is as before', () => {
    assert.equal(whyVanished({ device: 1, paths }, [], there), undefined)
    assert.equal(whyVanished({ device: 1, paths }, ['a', 'b', 'c'], there), undefined)
    assert.equal(whyVanished({ device: 1, paths: ['a', 'b'] }, ['a', 'b'], there), undefined)
  })

  it('vanished if they are half of all, and three at least', () => {
    assert.match(whyVanished({ device: 1, paths }, ['a', 'b', 'c', 'd'], there) ?? '', /so many at once/)
    assert.match(whyVanished({ device: 1, paths: ['a', 'b', 'c'] }, ['a', 'b', 'c'], there) ?? '', /so many at once/)
  })

  it('vanished if their folder is gone, empty, unreadable, or on another file system', () => {
    const why = (root: Parameters<typeof whyVanished>[2]) => whyVanished({ device: 1, paths: ['a'] }, ['a'], root)
    assert.match(why({ state: 'gone' }) ?? '', /folder is gone/)
    assert.match(why({ state: 'gone', problem: 'EACCES' }) ?? '', /cannot be read \(EACCES\)/)
    assert.match(why({ ...there, isEmpty: true }) ?? '', /empty/)
    assert.match(why({ ...there, device: 2 }) ?? '', /another file system/)
    assert.equal(whyVanished({ device: 1, paths }, ['a'], { ...there, device: 2 }), undefined, 'mounted anew')
  })
})

describe('what patterns found', () => {
  function scene() {
    const folder = temporaryFolder()
    const config = databaseConfig({
      source: { kind: 'glob', patterns: [folder.file('tenants/*.db')], exclude: [] },
    })
    const found = (...names: string[]) =>
      names.map((name) => {
        return { name, path: folder.file(`tenants/${name}.db`), config, pattern: folder.file('tenants/*.db') }
      })
    mkdirSync(folder.file('tenants'))
    writeFileSync(folder.file('tenants/a.db'), 'a')
    return { folder, config, found, path: folder.file('globs.json') }
  }

  it('stays expected when its folder is gone, over a restart, until it is back', async () => {
    const { folder, config, found, path } = scene()
    using _ = folder
    const first = await GlobWatch.read(path, noWarning)
    await first.look([config], found('a', 'b'), 1_000)
    await first.save()
    renameSync(folder.file('tenants'), folder.file('away'))
    const second = await GlobWatch.read(path, noWarning)
    await second.look([config], [], 2_000)
    await second.save()
    const third = await GlobWatch.read(path, noWarning)
    await third.look([config], [], 3_000)
    const [vanished = assert.fail()] = third.vanished
    assert.deepEqual([vanished.since, vanished.databases.map(({ name }) => name)], [2_000, ['a', 'b']])
    assert.deepEqual(third.deleted, [])
    renameSync(folder.file('away'), folder.file('tenants'))
    await third.look([config], found('a', 'b'), 4_000)
    assert.deepEqual(third.vanished, [])
  })

  it('is expected no more when its entry of the configuration has changed', async () => {
    const { folder, config, found, path } = scene()
    using _ = folder
    const watch = await GlobWatch.read(path, noWarning)
    await watch.look([config], found('a', 'b'), 1_000)
    rmSync(folder.file('tenants'), { recursive: true })
    await watch.look([config], [], 2_000)
    assert.equal(watch.vanished.length, 1)
    const { source } = config
    assert.ok(source.kind === 'glob')
    await watch.look([{ ...config, source: { ...source, exclude: [folder.file('tenants/b.db')] } }], [], 3_000)
    assert.deepEqual([watch.vanished, watch.deleted], [[], []])
  })

  it('and was deleted by its owner is remembered for a week, or until it is back', async () => {
    const { folder, config, found, path } = scene()
    using _ = folder
    const watch = await GlobWatch.read(path, noWarning)
    await watch.look([config], found('a', 'b', 'c'), 1_000)
    await watch.look([config], found('a'), 2_000)
    assert.deepEqual(
      watch.deleted.map(({ name, since }) => [name, since]),
      [
        ['b', 2_000],
        ['c', 2_000],
      ],
    )
    await watch.look([config], found('a', 'b'), 3_000)
    assert.deepEqual(
      watch.deleted.map(({ name }) => name),
      ['c'],
    )
    await watch.look([config], found('a', 'b'), 2_000 + 7 * 86_400_000)
    assert.deepEqual(watch.deleted, [])
  })

  it('and vanished is told, and that it is over', () => {
    const { folder, config, found } = scene()
    using _ = folder
    const databases = found('a', 'b')
    const [present] = observeMissing([{ pattern: '/x/*.db', since: 0, reason: 'its folder is gone', databases }], [])
    assert.ok(present?.what === 'present')
    assert.equal(
      present.condition.summary,
      `2 databases of /x/*.db are gone since ${formatTime(0)} (a and 1 more): its folder is gone.`,
    )
    assert.deepEqual(observeMissing([], [present.condition]), [{ what: 'absent', key: present.condition.key }])
    assert.equal(databases[0]?.config, config)
  })
})

/** Five databases, each in a folder of its own. */
function tenants(folder: Pick<ReturnType<typeof temporaryFolder>, 'file'>) {
  const pattern = folder.file('t/*/*.db')
  const config = databaseConfig({ source: { kind: 'glob', patterns: [pattern], exclude: [] } })
  const found = ['a', 'b', 'c', 'd', 'e'].map((name) => {
    mkdirSync(folder.file(`t/${name}`), { recursive: true })
    writeFileSync(folder.file(`t/${name}/app.db`), name)
    return { name, path: folder.file(`t/${name}/app.db`), config, pattern }
  })
  return { config, found }
}

it('a database whose file system is not mounted is expected back, and one beside it that was deleted is not', async () => {
  using folder = temporaryFolder()
  const { config, found } = tenants(folder)
  const mounted = new Set([folder.file('t/b')])
  const deviceOf = async (path: string): Promise<number> => (mounted.has(path) ? 5 : statSync(path).dev)
  const path = folder.file('globs.json')
  const first = await GlobWatch.read(path, noWarning, deviceOf)
  await first.look([config], found, 1_000)
  await first.save()

  mounted.clear()
  rmSync(folder.file('t/b/app.db'))
  rmSync(folder.file('t/c'), { recursive: true })
  const left = found.filter(({ name }) => name !== 'b' && name !== 'c')
  const second = await GlobWatch.read(path, noWarning, deviceOf)
  for (const now of [2_000, 3_000]) {
    await second.look([config], left, now)
    const [vanished = assert.fail()] = second.vanished
    assert.deepEqual(
      vanished.databases.map(({ name }) => name),
      ['b'],
    )
    assert.match(vanished.reason, /file system that it lies on is not there/)
    assert.deepEqual(
      second.deleted.map(({ name }) => name),
      ['c'],
    )
  }
  mounted.add(folder.file('t/b'))
  await second.look([config], [...left, ...found.filter(({ name }) => name === 'b')], 4_000)
  assert.deepEqual(second.vanished, [])
})

it('a database was deleted whose file system was mounted anew while the agent ran, though it was alone there', async () => {
  using folder = temporaryFolder()
  const { config, found } = tenants(folder)
  let device = 5
  const deviceOf = async (path: string): Promise<number> => (path === folder.file('t/b') ? device : statSync(path).dev)
  const watch = await GlobWatch.read(folder.file('globs.json'), noWarning, deviceOf)
  await watch.look([config], found, 1_000)
  device = 6
  const later = 1_000 + 3_600_000
  for (const now of [31_000, later]) await watch.look([config], found, now)
  rmSync(folder.file('t/b/app.db'))
  const left = found.filter(({ name }) => name !== 'b')
  await watch.look([config], left, later + 30_000)
  assert.deepEqual(watch.vanished, [])
  assert.deepEqual(
    watch.deleted.map(({ name }) => name),
    ['b'],
  )
})

it('what is there and looked after no more was not deleted', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('t'))
  const pattern = folder.file('t/*.db')
  const config = databaseConfig({ source: { kind: 'glob', patterns: [pattern], exclude: [] } })
  const found = ['a', 'b'].map((name) => ({ name, path: folder.file(`t/${name}.db`), config, pattern }))
  for (const { path } of found) writeFileSync(path, 'x')
  const watch = await GlobWatch.read(folder.file('globs.json'), noWarning)
  await watch.look([config], found, 1_000)
  await watch.look([config], found.slice(0, 1), 2_000)
  assert.deepEqual([watch.deleted, watch.vanished], [[], []])
})
