import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLsn as lsnOf } from '../../src/history/lsn.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { seededRandom } from '../support/random.ts'
import { at, keepLog, minute, pausesOf } from './support/pauses.ts'
import { Rig } from './support/rig.ts'

/** While all pages of the state that following begins with are read, a commit is made; the reading takes an hour. */
function commitWhileRead(rig: Rig): { readonly at: () => number } {
  let made = 0
  rig.database.onRead = () => {
    rig.database.onRead = undefined
    rig.clock.time += 10 * minute
    made = rig.clock.time
    rig.database.commitRandom(seededRandom(1))
    rig.clock.time += 50 * minute
  }
  return { at: () => made }
}

async function followOnce(rig: Rig): Promise<void> {
  const capture = await rig.follow(keepLog)
  await capture.sync()
  await capture.stop()
}

describe('a commit that is seen late, since nobody looked', () => {
  it('has no exact time if it was made while the first base was stored', async () => {
    const rig = await Rig.make()
    const made = commitWhileRead(rig)
    await followOnce(rig)
    assert.equal(await at(rig, made.at() + minute), '1 or 2')
    assert.equal((await pausesOf(rig)).length, 1)
  })

  it('has none if the database was compared meanwhile', async () => {
    const rig = await Rig.make()
    await followOnce(rig)
    rig.clock.time += minute
    rig.database.reset()
    const made = commitWhileRead(rig)
    await followOnce(rig)
    assert.equal(await at(rig, made.at() + minute), '1 or 2')
  })

  it('has none if a gap was healed meanwhile', async () => {
    const rig = await Rig.make()
    await followOnce(rig)
    rig.clock.time += minute
    rig.database.commitRandom(seededRandom(2))
    rig.database.reset()
    rig.database.commitRandom(seededRandom(3))
    const made = commitWhileRead(rig)
    await followOnce(rig)
    assert.equal(await at(rig, made.at() + minute), '2 or 3')
  })

  it('has none if the follower stood still', async () => {
    const rig = await Rig.make()
    const random = seededRandom(4)
    const capture = await rig.follow(keepLog)
    rig.database.commitRandom(random)
    await capture.sync()
    rig.clock.time += 10 * minute
    const stalled = rig.clock.time
    rig.database.stalledSince = stalled
    rig.clock.time += 10 * minute
    const made = rig.clock.time
    rig.database.isUnknown = true
    rig.database.commitRandom(random)
    rig.clock.time += 10 * minute
    rig.database.isUnknown = false
    rig.database.stalledSince = undefined
    await capture.sync()
    rig.database.commitRandom(random)
    await capture.sync()
    await capture.stop()
    assert.equal(await at(rig, stalled - minute), 2)
    assert.equal(await at(rig, made + minute), '2 or 3')
    assert.equal((await pausesOf(rig)).length, 1)
    assert.equal((await rig.check()).size, 4)
  })

  it('has its time where the follower was there, however long nothing had been committed', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow(keepLog)
    await capture.sync()
    for (let hour = 0; hour < 3; hour += 1) {
      rig.clock.time += 60 * minute
      rig.database.commitRandom(seededRandom(hour))
      await capture.sync()
    }
    await capture.stop()
    assert.deepEqual(await pausesOf(rig), [])
  })

  it('is dated by the clock as it is, if that went back meanwhile, which is said', async () => {
    for (const stops of [true, false]) {
      const rig = await Rig.make()
      const random = seededRandom(5)
      let capture = await rig.follow(keepLog)
      rig.database.commitRandom(random)
      await capture.sync()
      rig.clock.time += 300 * 24 * 60 * minute
      await capture.sync()
      if (stops) await capture.stop()
      rig.clock.time -= 300 * 24 * 60 * minute
      rig.clock.time += 10 * minute
      const made = rig.clock.time
      if (stops) capture = await rig.follow(keepLog)
      rig.database.commitRandom(random)
      await capture.sync()
      rig.clock.time += 60 * minute
      rig.database.commitRandom(random)
      await capture.sync()
      await capture.stop()
      assert.equal(await at(rig, made + 30 * minute), 3)
      assert.equal(rig.of('warning').filter(({ message }) => /The clock went back/.test(message)).length, 1)
    }
  })
})

it('sync answers only once it could be looked what there is', async () => {
  const rig = await Rig.make()
  await using capture = await rig.follow(keepLog)
  await capture.sync()
  rig.database.isUnknown = true
  rig.clock.time += 10
  rig.database.commitRandom(seededRandom(6))
  let answer: number | undefined
  const synced = capture.sync().then((lsn) => {
    answer = lsn
  })
  await rig.clock.sleep(5_000)
  assert.equal(answer, undefined)
  rig.database.isUnknown = false
  await synced
  assert.equal(answer, 2)
})

it('pauses that touch one another are one: nobody had caught up in between', async () => {
  const rig = await Rig.make()
  await followOnce(rig)
  const database = await rig.repository()
  rig.clock.time += 60 * minute
  for (let n = 0; n < 4; n += 1) rig.database.commitRandom(seededRandom(n))
  await followOnce(rig)
  const [pause] = await pausesOf(rig)
  assert.ok(pause)
  const { fromTime, toTime, fromLsn, toLsn } = pause
  await rig.storage.delete(`databases/app/untimed/${hex(fromLsn)}-${hex(toLsn)}.json`)
  const middle = fromTime + 30 * minute
  const cut = lsnOf(3)
  await database.putPause({ fromLsn, toLsn: cut, fromTime, toTime: middle })
  await database.putPause({ fromLsn: cut, toLsn, fromTime: middle, toTime })
  assert.equal(await at(rig, middle), `${fromLsn} or ${toLsn}`)
})

it('whoever lists a log lists the pause that it tells of, though both are put meanwhile', async () => {
  for (const isOrdered of [true, false]) {
    const rig = await Rig.make()
    await followOnce(rig)
    rig.clock.time += 60 * minute
    rig.database.commitRandom(seededRandom(7))
    const { storage } = rig
    let hasFollowed = false
    const slow = new Proxy(storage, {
      get: (target, name) => {
        if (name === 'list')
          return async function* (prefix: string) {
            const listed = await Array.fromAsync(target.list(prefix))
            yield* listed.filter(({ key }) => key < 'databases/app/segments/')
            if (!hasFollowed) await storage.delete(leaseKey('app'))
            if (!hasFollowed) await followOnce(rig)
            hasFollowed = true
            for await (const object of target.list(prefix))
              if (object.key.includes('/segments/') || (isOrdered && object.key > 'databases/app/segments0'))
                yield object
            // A folder that was not there when its parent was read.
            if (!isOrdered && prefix.endsWith('/untimed/')) yield* target.list(prefix)
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const catalog = await (await Repository.open(slow)).database('app').catalog()
    assert.equal(catalog.segments.length, 2)
    assert.equal(catalog.pauses.length, 1, isOrdered ? 'in order' : 'a new folder')
  }
})

const hex = (lsn: number) => lsn.toString(16).padStart(16, '0')
