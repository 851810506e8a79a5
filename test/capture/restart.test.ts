import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

describe('a capture that is started again', () => {
  it('goes on where it stopped, without a gap, also with commits made meanwhile', async () => {
    const rig = await Rig.make()
    const random = seededRandom(1)
    for (let turn = 0; turn < 4; turn += 1) {
      const capture = await rig.follow()
      for (let n = 0; n < 5; n += 1) rig.database.commitRandom(random)
      await capture.sync()
      await capture.stop()
      for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
    }
    const commits = await rig.check()
    assert.equal(commits.size, 1 + 4 * 5 + 3 * 3)
    assert.deepEqual(
      rig.of('started').map(({ how }) => how),
      ['first', 'resumed', 'resumed', 'resumed'],
    )
    assert.deepEqual(rig.of('gap'), [])
  })

  it('stores nothing when the log was reset but the database is as it was', async () => {
    const rig = await Rig.make()
    const first = await rig.follow()
    rig.database.commitRandom(seededRandom(2))
    await first.sync()
    await first.stop()
    rig.database.reset()
    const second = await rig.follow()
    rig.database.commitRandom(seededRandom(3))
    await second.sync()
    await second.stop()
    assert.equal((await rig.check()).size, 3)
    assert.equal(rig.of('started')[1]?.how, 'unchanged')
    assert.deepEqual(rig.of('gap'), [])
  })

  it('heals by a delta and records the gap when the log was reset after more commits', async () => {
    const rig = await Rig.make()
    const random = seededRandom(4)
    const first = await rig.follow()
    rig.database.commitRandom(random)
    await first.sync()
    await first.stop()
    for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
    rig.database.reset()
    const second = await rig.follow()
    rig.database.commitRandom(random)
    await second.sync()
    await second.stop()
    const commits = await rig.check()
    assert.deepEqual(
      [...commits],
      [
        [1, 1],
        [2, 2],
        [3, 5],
        [4, 6],
      ],
    )
    const [gap] = rig.of('gap')
    assert.deepEqual([gap?.fromLsn, gap?.toLsn, gap?.reason], [2, 3, 'the log was reset before all of it was taken'])
    const { segments, gaps } = await (await rig.repository()).catalog()
    assert.equal(segments.filter(({ kind }) => kind === 'base').length, 1)
    assert.equal(gaps.filter(({ fromLsn }) => fromLsn > 0).length, 1)
  })

  it('makes do without its state folder: the repository knows the state', async () => {
    const rig = await Rig.make()
    const random = seededRandom(5)
    const first = await rig.follow()
    rig.database.commitRandom(random)
    await first.sync()
    await first.stop()
    for (const path of rig.files.paths) rig.files.remove(path)
    const unchanged = await rig.follow()
    await unchanged.stop()
    for (const path of rig.files.paths) rig.files.remove(path)
    rig.database.commitRandom(random)
    const healed = await rig.follow()
    await healed.sync()
    await healed.stop()
    await rig.check()
    assert.deepEqual(
      rig.of('started').map(({ how }) => how),
      ['first', 'unchanged', 'healed'],
    )
  })

  it('sends what an earlier one left in the spool, in order, and goes on after it', async () => {
    const rig = await Rig.make()
    const random = seededRandom(6)
    // A log that was handed back could be reset while nobody follows, which would be a gap.
    const first = await rig.follow({ handOff: { logBytes: 1e9, ageMs: 1e12 } })
    rig.isAway = true
    for (let n = 0; n < 8; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(400)
    }
    await rig.until(() => first.status.waiting.segments > 0)
    const left = await first.stop({ waitMs: 0 })
    assert.ok(left.segments > 0, JSON.stringify(left))
    rig.isAway = false
    await rig.freeLease()
    rig.database.commitRandom(random)
    const second = await rig.follow()
    await second.sync()
    await second.stop()
    assert.equal((await rig.check()).size, 10)
    assert.deepEqual(rig.of('gap'), [])
  })

  it('sets a damaged spool aside with a warning, and heals what it held', async () => {
    const rig = await Rig.make()
    const random = seededRandom(7)
    const first = await rig.follow()
    rig.isAway = true
    for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
    await rig.until(() => first.status.waiting.segments > 0)
    await first.stop({ waitMs: 0 })
    const [spooled] = rig.files.paths.filter((path) => path.endsWith('.spool'))
    assert.ok(spooled)
    rig.files.damage(spooled)
    rig.isAway = false
    await rig.freeLease()
    const second = await rig.follow()
    await second.sync()
    await second.stop()
    assert.deepEqual(
      [...(await rig.check())],
      [
        [1, 1],
        [2, 4],
      ],
    )
    assert.equal(rig.of('gap').at(-1)?.reason, 'the spool was damaged')
    assert.ok(rig.files.paths.some((path) => path.startsWith('/state/set-aside/')))
  })

  it('refuses a second one at the same time', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    await assert.rejects(rig.follow({ stateFolder: '/other' }), (error) => hasCode(error, 'LEASE_HELD'))
    await capture.stop()
    await using again = await rig.follow()
    assert.equal(again.status.lsn, 1)
  })

  it('numbers its states after one that an interrupted backup left', async () => {
    const rig = await Rig.make()
    const random = seededRandom(8)
    const first = await rig.follow()
    await first.stop()
    const { segments } = await (await rig.repository()).catalog()
    const base = segments[0]
    assert.ok(base)
    const bytes = await Array.fromAsync(rig.storage.get(base.key))
    await rig.storage.put(base.key.replace(/-0{15}1-/, '-0000000000000002-'), Buffer.concat(bytes))
    rig.database.commitRandom(random)
    const second = await rig.follow()
    rig.database.commitRandom(random)
    await second.sync()
    await second.stop()
    assert.deepEqual([second.status.lsn, rig.of('gap').at(-1)?.toLsn], [4, 3])
  })
})
