import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HoldfastError } from '../../src/errors.ts'
import { seededRandom } from '../support/random.ts'
import { at, keepLog, minute, pausesOf } from './support/pauses.ts'
import { Rig } from './support/rig.ts'

describe('commits that were made while nobody followed, and are all there', () => {
  it('are known by their LSN only: a time in the pause names no state', async () => {
    const rig = await Rig.make()
    const random = seededRandom(1)
    const first = await rig.follow(keepLog)
    rig.database.commitRandom(random)
    await first.sync()
    rig.clock.time += 10 * minute
    await first.stop()
    const stopped = rig.clock.time
    rig.clock.time += 60 * minute
    for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
    rig.clock.time += 60 * minute
    const second = await rig.follow(keepLog)
    await second.sync()
    const caughtUp = rig.clock.time
    rig.clock.time += 10 * minute
    rig.database.commitRandom(random)
    await second.sync()
    await second.stop()
    assert.equal((await rig.check()).size, 6)
    const pauses = await pausesOf(rig)
    assert.deepEqual(
      pauses.map(({ fromLsn, toLsn }) => [fromLsn, toLsn]),
      [[2, 5]],
    )
    const [pause] = pauses
    assert.ok(pause !== undefined && pause.fromTime <= stopped && pause.fromTime >= stopped - minute)
    assert.ok(pause.toTime >= stopped + 120 * minute && pause.toTime <= caughtUp)
    // While the first one followed, and nothing was committed, the state was known.
    assert.equal(await at(rig, pause.fromTime), 2)
    assert.equal(await at(rig, stopped - 5 * minute), 2)
    assert.equal(await at(rig, pause.fromTime + 1), '2 or 5')
    assert.equal(await at(rig, stopped + 60 * minute), '2 or 5')
    assert.equal(await at(rig, pause.toTime - 1), '2 or 5')
    assert.equal(await at(rig, pause.toTime), 5)
    assert.equal(await at(rig, caughtUp + 5 * minute), 5)
    assert.equal(await at(rig, stopped + 60 * minute, true), 2)
  })

  it('leave no record if there are none, and the state of the pause is known then', async () => {
    const rig = await Rig.make()
    const random = seededRandom(2)
    const first = await rig.follow(keepLog)
    rig.database.commitRandom(random)
    await first.sync()
    await first.stop()
    rig.clock.time += 60 * minute
    const middle = rig.clock.time
    rig.clock.time += 60 * minute
    const second = await rig.follow(keepLog)
    await second.sync()
    rig.clock.time += minute
    rig.database.commitRandom(random)
    await second.sync()
    await second.stop()
    assert.deepEqual(await pausesOf(rig), [])
    assert.equal(await at(rig, middle), 2)
  })

  it('are all of the pause, also if they need more than one segment', async () => {
    const rig = await Rig.make()
    const random = seededRandom(3)
    const first = await rig.follow(keepLog)
    await first.sync()
    await first.stop()
    rig.clock.time += 60 * minute
    for (let n = 0; n < 40; n += 1) rig.database.commit(new Map([[2, random.bytes(rig.database.pageSize)]]))
    const second = await rig.follow({ ...keepLog, maxBatchBytes: 8 * rig.database.pageSize })
    await second.sync()
    const done = rig.clock.time
    rig.database.commitRandom(random)
    await second.sync()
    await second.stop()
    const pauses = await pausesOf(rig)
    assert.ok(pauses.length > 2, JSON.stringify(pauses))
    assert.ok(pauses.every(({ fromLsn }) => fromLsn === 1))
    assert.equal(pauses.at(-1)?.toLsn, 41)
    assert.equal(await at(rig, done - 30 * minute), '1 or 41')
  })

  it('are dated by the state before if it is not known until when that was the present one', async () => {
    const rig = await Rig.make()
    const random = seededRandom(4)
    const first = await rig.follow(keepLog)
    rig.database.commitRandom(random)
    await first.sync()
    const { time } = first.status
    const path = '/state/position.json'
    const position = rig.files.contentOf(path)?.slice()
    assert.ok(position)
    rig.clock.time += 10 * minute
    await first.stop()
    // As if it had been killed: what it wrote when it stopped is not there.
    const file = await rig.files.as().create(path)
    await file.write(position)
    await file.close()
    rig.clock.time += 10 * minute
    rig.database.commitRandom(random)
    const second = await rig.follow(keepLog)
    await second.sync()
    await second.stop()
    const [pause] = await pausesOf(rig)
    assert.equal(pause?.fromTime, time)
    assert.equal(await at(rig, time + 5 * minute), '2 or 3')
  })

  it('are told of also if they had to wait in the spool, and another capture sent them', async () => {
    const rig = await Rig.make()
    const random = seededRandom(5)
    const first = await rig.follow(keepLog)
    await first.sync()
    await first.stop()
    rig.clock.time += 10 * minute
    rig.database.commitRandom(random)
    const second = await rig.follow(keepLog)
    rig.isAway = true
    await rig.until(() => second.status.waiting.segments > 0)
    await second.stop({ waitMs: 0 })
    rig.isAway = false
    await rig.freeLease()
    assert.deepEqual(await pausesOf(rig), [])
    const third = await rig.follow(keepLog)
    await third.sync()
    await third.stop()
    assert.deepEqual(
      (await pausesOf(rig)).map(({ fromLsn, toLsn }) => [fromLsn, toLsn]),
      [[1, 2]],
    )
  })

  it('are a gap from where they were merged, if the spool could not hold them', async () => {
    const rig = await Rig.make()
    const random = seededRandom(7)
    const { database, clock } = rig
    const first = await rig.follow(keepLog)
    await first.sync()
    await first.stop()
    clock.time += 60 * minute
    for (let n = 0; n < 40; n += 1) database.commit(new Map([[2, random.bytes(database.pageSize)]]))
    const resumed = clock.time
    const second = await rig.follow({
      ...keepLog,
      maxBatchBytes: 8 * database.pageSize,
      spoolLimitBytes: 24 * database.pageSize,
      onEvent: (event) => {
        rig.events.push(event)
        rig.isAway ||= event.kind === 'started'
      },
    })
    await rig.until(() => rig.of('gap').length > 0)
    rig.isAway = false
    await second.sync()
    await second.stop()
    const [gap] = rig.of('gap')
    assert.ok(gap !== undefined && gap.fromLsn > 1, JSON.stringify(gap))
    assert.ok(gap.fromTime >= resumed, 'at its beginning, nobody had looked for an hour')
    assert.equal(await at(rig, resumed - 30 * minute, true), 1)
  })

  it('while the database could not be read for a while are no different', async () => {
    const rig = await Rig.make()
    const random = seededRandom(6)
    const capture = await rig.follow(keepLog)
    rig.database.commitRandom(random)
    await capture.sync()
    rig.clock.time += minute
    rig.database.busy = new HoldfastError('DATABASE_BUSY', 'Somebody holds it.')
    rig.database.failAfterPages = { pages: 0, error: new HoldfastError('DATABASE_BUSY', 'Somebody holds it.') }
    const began = rig.clock.time
    rig.database.commitRandom(random)
    await rig.until(() => rig.of('retrying').length > 1)
    const middle = rig.clock.time
    rig.clock.time += minute
    rig.database.commitRandom(random)
    rig.database.busy = undefined
    await capture.sync()
    await capture.stop()
    const [pause, ...others] = await pausesOf(rig)
    assert.deepEqual([pause?.fromLsn, pause?.toLsn, others.length], [2, 4, 0])
    assert.ok(pause !== undefined && pause.fromTime <= began)
    assert.equal(await at(rig, middle), '2 or 4')
  })
})
