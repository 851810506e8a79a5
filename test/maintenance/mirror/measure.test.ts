import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { measureMirror } from '../../../src/maintenance/mirror/measure-mirror.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { mirrorHistory } from './support/mirrored-history.ts'
import { WatchedStorage } from './support/watched-storage.ts'

describe('how far a mirror is behind', () => {
  it('is told in objects, bytes and LSNs, as the next run copies them', async () => {
    const history = await KeptHistory.make(7)
    await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
    const mirror = new MemoryStorage()
    const measure = async () => await measureMirror(await Repository.open(history.storage), mirror)
    assert.equal(await measure(), undefined)
    await mirrorHistory(history, mirror)
    const completeAt = history.time
    assert.deepEqual(await measure(), { completeAt, behind: [] })
    await history.log(3, hour)
    await history.log(4, hour)
    await history.backup()
    const state = await measure()
    const { copied } = await mirrorHistory(history, mirror, { dryRun: true })
    assert.deepEqual(state, { completeAt, behind: [{ database: 'app', ...copied, lsns: 7 }] })
    assert.equal(copied.objects, 3)
    await mirrorHistory(history, mirror)
    const rollUp = { minSegments: 2, growth: 1 }
    await compactDatabase(await history.database(), { rollUp, graceMs: 0, now: history.time })
    const [compacted] = (await measure())?.behind ?? []
    assert.deepEqual([compacted?.objects, compacted?.lsns], [1, 0])
    assert.deepEqual(await measureMirror(await Repository.open(history.storage), mirror, { databases: ['other'] }), {
      completeAt: history.time,
      behind: [],
    })
  })

  it('is not told of a mirror of another repository', async () => {
    const mirror = new MemoryStorage()
    await mirrorHistory(await KeptHistory.make(1), mirror)
    const other = await KeptHistory.make(2)
    assert.equal(await measureMirror(await Repository.open(other.storage), mirror), undefined)
  })

  it('costs one document and two listings, however many objects there are', async () => {
    const history = await KeptHistory.make(3)
    await history.base()
    const mirror = new MemoryStorage()
    await mirrorHistory(history, mirror)
    await history.log(5)
    const read: string[] = []
    const onGet = (key: string) => void read.push(key)
    const source = await Repository.open(new WatchedStorage(history.storage, { onGet }))
    read.length = 0
    await measureMirror(source, new WatchedStorage(mirror, { onGet }))
    assert.deepEqual(read, ['mirror.json'])
  })
})
