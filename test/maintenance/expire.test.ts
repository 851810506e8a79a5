import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Capture } from '../../src/capture/capture.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { latestPoint, reachableLsns } from '../../src/history/reachable.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { acknowledgedSegments } from '../../src/repository/acknowledged.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { imageAt } from '../capture/support/check-history.ts'
import { Rig } from '../capture/support/rig.ts'
import { seededRandom } from '../support/random.ts'
import { day, KeptHistory } from './support/kept-history.ts'
import { followed } from './support/ten-days.ts'

const atOnce = { graceMs: 0 }

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('expiry of a followed database', () => {
  it('leaves the kept states and every commit of the window, byte for byte', async () => {
    const { history, backups } = await followed()
    const policy = { last: 4, window: 2 * day }
    const report = await expireDatabase(await history.database(), policy, { ...atOnce, now: history.time })
    const kept = backups.slice(-4)
    assert.deepEqual(
      report.keep.map(({ backup: { lsn } }) => lsn),
      kept,
    )
    assert.ok(report.deleted.length >= 15 && report.waiting.length === 0)
    const newest = history.lsn
    const inWindow = range(newest - 23, newest)
    const reachable = await history.reachable()
    for (const lsn of [...kept, ...inWindow]) assert.ok(reachable.includes(lsn), `LSN ${lsn}`)
    assert.ok(reachable.length < 40, String(reachable))
    await history.checkAll(reachable)
    const { ok, findings } = await verifyRepository((await history.database()).repository, { level: 'data' })
    assert.ok(ok, JSON.stringify(findings))
  })

  it('keeps the newest state of a database in which nothing happened for long', async () => {
    const { history } = await followed()
    await expireDatabase(
      await history.database(),
      { last: 1, window: day },
      { ...atOnce, now: history.time + 90 * day },
    )
    await history.check(history.lsn)
    // The base, the kept state, and the log that ends in the newest one.
    assert.ok((await history.reachable()).length <= 9)
  })

  it('comes to rest: a second run finds nothing to do', async () => {
    const { history } = await followed()
    const options = { ...atOnce, now: history.time }
    await expireDatabase(await history.database(), { last: 4, window: 2 * day }, options)
    const before = await history.keys()
    const again = await expireDatabase(await history.database(), { last: 4, window: 2 * day }, options)
    assert.deepEqual([again.merged, again.deleted, again.drop], [[], [], []])
    assert.deepEqual(await history.keys(), before)
  })

  it('merges the same in small parts as at once', async () => {
    const { history, backups } = await followed(7)
    await expireDatabase(
      await history.database(),
      { last: 4, window: 2 * day },
      { ...atOnce, now: history.time, heldBytes: 1024 },
    )
    await history.checkAll([...backups.slice(-4), history.lsn])
  })

  it('goes on as the days go by, and every kept state stays what it was', async () => {
    const { history, backups } = await followed(3)
    for (let n = 0; n < 12; n += 1) {
      await history.log(6, day)
      backups.push((await history.backup(history.lsn - 2)).lsn)
      const report = await expireDatabase(
        await history.database(),
        { daily: 3, weekly: 2, window: day },
        { graceMs: day, now: history.time },
      )
      await history.checkAll(report.keep.map(({ backup: { lsn } }) => lsn))
      await history.checkAll([history.lsn - 4, history.lsn])
    }
    assert.ok((await history.segments()).length < 16)
  })
})

describe('a follower that comes back after an expiry', () => {
  it('goes on where it was, without a gap', async () => {
    const rig = await Rig.make()
    const random = seededRandom(41)
    const commits = async (capture: Capture) => {
      for (let n = 0; n < 12; n += 1) {
        rig.database.commitRandom(random)
        await capture.sync()
      }
    }
    await using first = await rig.follow()
    await commits(first)
    await first.stop()
    const before = new Map(rig.database.truth)
    const report = await expireDatabase(
      await rig.repository(),
      { last: 1, window: 0 },
      { ...atOnce, now: rig.clock.now() + 90 * day },
    )
    assert.ok(report.merged.length > 0 && report.deleted.length > 0)
    await using second = await rig.follow()
    assert.equal(rig.of('started')[1]?.how, 'resumed')
    await commits(second)
    await second.stop()
    assert.deepEqual(rig.of('gap'), [])
    const database = await rig.repository()
    const { segments } = await database.catalog()
    const newest = reachableLsns(segments).at(-1)?.last ?? toLsn(0)
    const images = new Set([...rig.database.truth.values()].map((image) => image.toString('hex')))
    assert.ok(rig.database.truth.size > before.size)
    for (const { first: from, last } of reachableLsns(segments)) {
      for (let lsn: number = from; lsn <= last; lsn += 1)
        assert.ok(images.has((await imageAt(database, toLsn(lsn), segments)).toString('hex')), `LSN ${lsn}`)
    }
    assert.ok(
      (await imageAt(database, newest, segments)).equals(rig.database.truth.get(rig.database.seq) ?? Buffer.of()),
    )
  })
})

describe('the newest state that a follower stored, beside what a backup left that was interrupted', () => {
  const storing = { 'as a commit': 'log', 'after a gap': 'delta' } as const
  for (const [how, kind] of Object.entries(storing)) {
    it(`stays the newest one that is promised: ${how}`, async () => {
      const history = await KeptHistory.make(6)
      await history.backup(1, { type: 'full', segment: await history.base() })
      const database = await history.database()
      if (kind === 'log') await history.log(3)
      else await history.delta()
      const newest = history.lsn
      const times = { fromTime: history.at(1).time, toTime: history.time }
      if (kind === 'delta')
        await database.putGap({ fromLsn: toLsn(1), toLsn: toLsn(newest), ...times, reason: 'something was missed' })
      await history.base()
      for (let n = 1; n <= 3; n += 1) {
        await expireDatabase(database, { last: 1, window: 0 }, { ...atOnce, now: history.time + n * 9 * day })
        assert.equal(latestPoint(acknowledgedSegments(await database.catalog()))?.lsn, newest)
      }
      await history.check(newest)
    })
  }
})

describe('gaps and pauses', () => {
  it('are forgotten where single commits are, and else stay', async () => {
    const { history } = await followed()
    const database = await history.database()
    const gap = (fromLsn: number, to: number) => {
      const times = { fromTime: history.at(fromLsn).time, toTime: history.at(to).time }
      return { fromLsn: toLsn(fromLsn), toLsn: toLsn(to), ...times, reason: 'something was missed' }
    }
    await database.putGap(gap(13, 14))
    await database.putGap(gap(history.lsn - 12, history.lsn - 11))
    const { reason: _, ...pause } = gap(13, 15)
    const later = { ...pause, fromLsn: toLsn(history.lsn - 10), toLsn: toLsn(history.lsn - 9) }
    await database.putPause(pause)
    await database.putPause(later)
    const expire = () => expireDatabase(database, { last: 2, window: 2 * day }, { ...atOnce, now: history.time })
    await expire()
    // The commits of a pause can be read until their log is gone; only then a time cannot find them.
    assert.deepEqual((await database.catalog()).pauses, [pause, later])
    await expire()
    const { gaps, pauses } = await database.catalog()
    assert.deepEqual(
      gaps.map(({ toLsn: to }) => to),
      [history.lsn - 11],
    )
    assert.deepEqual(pauses, [later])
  })
})

describe('expiry of incremental backups', () => {
  it('merges what leads from one kept backup to the next, and keeps full backups as they are', async () => {
    const history = await KeptHistory.make()
    const bases: string[] = []
    for (let n = 0; n < 20; n += 1) {
      const isFull = n % 10 === 0
      const segment = isFull ? await history.base(day) : await history.delta(day)
      await history.backup(history.lsn, { type: isFull ? 'full' : 'incremental', segment })
      if (isFull) bases.push(segment.key)
    }
    const report = await expireDatabase(
      await history.database(),
      { weekly: 3, window: 0 },
      { ...atOnce, now: history.time },
    )
    assert.equal(report.keep.length, 3)
    const keys = await history.keys()
    assert.ok(keys.includes(bases[1] ?? ''), 'the full backup of a kept state')
    await history.checkAll(report.keep.map(({ backup: { lsn } }) => lsn))
    assert.ok((await history.segments()).length <= 5)
  })
})
