import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import type { Capture } from '../../src/capture/capture.ts'
import { hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { latestPoint, reachableLsns } from '../../src/history/reachable.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { pinBackup, unpinBackup } from '../../src/maintenance/pins/pin-backup.ts'
import { acknowledgedSegments } from '../../src/repository/acknowledged.ts'
import { openChain } from '../../src/repository/chain.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { retentionKey } from '../../src/repository/layout.ts'
import { Lease } from '../../src/repository/lease.ts'
import { noRetentionRecord, readRetention } from '../../src/repository/retention-record.ts'
import { updateLedger } from '../../src/repository/verification-ledger.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { imageAt } from '../capture/support/check-history.ts'
import { Rig } from '../capture/support/rig.ts'
import { storeCommits } from '../support/log-history.ts'
import { seededRandom } from '../support/random.ts'
import { day, hour, KeptHistory } from './support/kept-history.ts'

const atOnce = { graceMs: 0 }

/** Ten days of logs, of one base; a backup in the midst of each day. */
async function followed(seed = 1): Promise<{ history: KeptHistory; backups: number[] }> {
  const history = await KeptHistory.make(seed)
  await history.base()
  const backups: number[] = []
  for (let n = 0; n < 10; n += 1) {
    await history.log(6, day / 2)
    await history.log(6, day / 2)
    const { lsn } = await history.backup(history.lsn - 3)
    backups.push(lsn)
  }
  return { history, backups }
}

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

describe('gaps', () => {
  it('are forgotten where single commits are, and else stay', async () => {
    const { history } = await followed()
    const database = await history.database()
    const gap = (fromLsn: number, to: number) => {
      const times = { fromTime: history.at(fromLsn).time, toTime: history.at(to).time }
      return { fromLsn: toLsn(fromLsn), toLsn: toLsn(to), ...times, reason: 'something was missed' }
    }
    await database.putGap(gap(13, 14))
    await database.putGap(gap(history.lsn - 12, history.lsn - 11))
    await expireDatabase(database, { last: 2, window: 2 * day }, { ...atOnce, now: history.time })
    assert.deepEqual(
      (await database.catalog()).gaps.map(({ toLsn: to }) => to),
      [history.lsn - 11],
    )
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

describe('the two steps of a deletion', () => {
  const policy = { last: 2, window: day }

  it('first name what is to go, and delete it when the time of grace has passed', async () => {
    const { history } = await followed()
    const database = await history.database()
    const first = await expireDatabase(database, policy, { now: history.time })
    assert.equal(first.deleted.length, 0)
    assert.ok(first.waiting.length > 10)
    const keys = await history.keys()
    for (const { key, until } of first.waiting) {
      assert.ok(keys.includes(key))
      assert.equal(until, history.time + day)
    }
    const early = await expireDatabase(database, policy, { now: history.time + 23 * hour })
    assert.deepEqual(early.deleted, [])
    const late = await expireDatabase(database, policy, { now: history.time + 24 * hour })
    const gone = new Set(late.deleted.map(({ key }) => key))
    for (const { key } of first.waiting) assert.ok(gone.has(key), key)
    assert.ok((await history.keys()).every((key) => !gone.has(key)))
    await history.check(history.lsn)
  })

  it('leave everything that a restore planned with until then', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const old = backups[2] ?? 0
    const plan = planRestore(await history.segments(), toLsn(old))
    await expireDatabase(database, policy, { now: history.time })
    await expireDatabase(database, policy, { now: history.time + 23 * hour })
    assert.equal((await openChain(database, plan)).links.length, plan.steps.length)
    await history.check(old)
  })

  it('are no way to what is kept: a backup is needed though what is in the trash would do instead', async () => {
    const history = await KeptHistory.make(8)
    await history.backup(1, { type: 'full', segment: await history.base() })
    const full = await history.backup(2, { type: 'full', segment: await history.base() })
    const last = await history.backup(3, { segment: await history.delta() })
    const database = await history.database()
    const detour = await storeCommits(database, history.at(1), [history.at(3)], 'delta', 512, 1)
    const trash = { [detour.key]: { since: new Date(history.time).toISOString() } }
    await writeDocument(database.storage, 'retention', retentionKey('app'), { ...noRetentionRecord, trash })
    await assert.rejects(deleteBackup(database, full.id, { force: true }), (error) => hasCode(error, 'BACKUP_NEEDED'))
    await history.check(last.lsn)
  })

  it('take back what is needed again', async () => {
    const history = await KeptHistory.make()
    const segment = await history.base(day)
    const old = await history.backup(history.lsn, { type: 'full', segment })
    const newer = await history.base(day)
    await history.backup(history.lsn, { type: 'full', segment: newer })
    const database = await history.database()
    const dropped = await expireDatabase(database, { last: 1, window: 0 }, { now: history.time })
    assert.deepEqual(
      dropped.waiting.map(({ key }) => key),
      [segment.key],
    )
    await database.putManifest(old)
    const kept = await expireDatabase(database, { last: 2, window: 0 }, { now: history.time + 9 * day })
    assert.deepEqual([kept.waiting, kept.deleted], [[], []])
    assert.deepEqual((await readRetention(database)).trash, {})
    await history.check(old.lsn)
  })

  it('are not hurried by a clock that was wrong when it was noted', async () => {
    const { history } = await followed()
    const database = await history.database()
    await expireDatabase(database, policy, { now: history.time + 400 * day })
    const back = await expireDatabase(database, policy, { now: history.time })
    assert.deepEqual(back.deleted, [])
    for (const { since } of back.waiting) assert.ok(since <= history.time)
    const next = await expireDatabase(database, policy, { now: history.time + day })
    assert.ok(next.deleted.length > 0)
  })
})

describe('what another writer’s takeover made void', () => {
  it('is cleared away, and never speaks again', async () => {
    const history = await KeptHistory.make()
    await history.base()
    await history.log(5, day)
    const fork = history.lsn
    await history.log(5, day, 2)
    const lost = await history.zombieLog(fork, 7, 1)
    await history.log(4, day, 2)
    await history.backup(history.lsn - 6)
    const database = await history.database()
    const policy = { last: 1, window: 0 }
    const first = await expireDatabase(database, policy, { now: history.time + day })
    assert.ok(first.waiting.some(({ key }) => key === lost.key))
    for (let n = 2; n < 6; n += 1) {
      await expireDatabase(database, policy, { now: history.time + n * day })
      await history.checkAll(await history.reachable())
    }
    assert.ok(!(await history.keys()).includes(lost.key))
    // The base, the kept state, and the newest log with the state that it starts from.
    assert.deepEqual(await history.reachable(), [1, history.lsn - 6, ...range(history.lsn - 4, history.lsn)])
  })
})

describe('pins', () => {
  it('keep a backup whatever the policy says, until they are taken away', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    assert.ok(oldest)
    assert.deepEqual((await pinBackup(database, oldest.id)).changed, true)
    assert.deepEqual((await pinBackup(database, oldest.id)).changed, false)
    const policy = { last: 1, window: 0 }
    const first = await expireDatabase(database, policy, { ...atOnce, now: history.time })
    assert.deepEqual(
      first.keep.map(({ backup }) => backup.lsn),
      [backups[0], backups.at(-1)],
    )
    assert.equal(first.keep[0]?.backup.pinned, true)
    await history.check(backups[0] ?? 0)
    assert.equal((await unpinBackup(database, oldest.id)).backup.pinned, false)
    const second = await expireDatabase(database, policy, { ...atOnce, now: history.time })
    assert.deepEqual(
      second.drop.map(({ backup, rule }) => [backup.id, rule]),
      [[oldest.id, 'no-rule']],
    )
    assert.deepEqual((await readRetention(database)).pins, {})
  })

  it('a snapshot has one from the start; unpinned it counts like any other', async () => {
    const history = await KeptHistory.make()
    await history.base(day)
    const snapshot = await history.backup(1, { type: 'snapshot' })
    await history.delta(day)
    await history.backup()
    const database = await history.database()
    const policy = { last: 1, window: 0 }
    const options = { dryRun: true, now: history.time }
    assert.equal((await expireDatabase(database, policy, options)).drop.length, 0)
    await unpinBackup(database, 'snapshot-1')
    assert.deepEqual(
      (await expireDatabase(database, policy, options)).drop.map(({ backup: { id } }) => id),
      [snapshot.id],
    )
    assert.equal((await database.catalog()).backups[0]?.pinned, false)
  })

  it('count also when they come while retention is at work', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    let pinned = false
    const report = await expireDatabase(
      database,
      { last: 1, window: 0 },
      {
        ...atOnce,
        now: history.time,
        onProgress: ({ phase }) => {
          if (phase !== 'merge' || pinned) return
          pinned = true
          // The record is in memory: this is done before the run goes on to write it.
          void pinBackup(database, oldest?.id ?? '')
        },
      },
    )
    assert.deepEqual(
      report.keep.map(({ backup }) => backup.lsn),
      [backups[0], backups.at(-1)],
    )
    await history.check(backups[0] ?? 0)
  })

  it('cannot be set on a backup that is being dropped', async () => {
    const { history } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    const refusals: unknown[] = []
    const pinning: Promise<unknown>[] = []
    await expireDatabase(
      database,
      { last: 1, window: 0 },
      {
        ...atOnce,
        now: history.time,
        onProgress: ({ phase, done }) => {
          if (phase === 'delete' && done === 0)
            pinning.push(pinBackup(database, oldest?.id ?? '').catch((error: unknown) => refusals.push(error)))
        },
      },
    )
    await Promise.all(pinning)
    assert.equal(refusals.length, 1)
    assert.ok(hasCode(refusals[0], 'BACKUP_NOT_FOUND'), String(refusals[0]))
  })
})

describe('expiry deletes nothing', () => {
  const policy = { last: 1, window: 0 }

  async function refused(history: KeptHistory, code: Parameters<typeof hasCode>[1], object: RegExp): Promise<void> {
    const before = (await history.keys()).filter((key) => !key.includes('/segments/'))
    const segments = await history.segments()
    await assert.rejects(
      expireDatabase(await history.database(), policy, { ...atOnce, now: history.time }),
      (error) => hasCode(error, code) && object.test(`${error.object}`) && /Nothing is deleted/.test(error.message),
    )
    const keys = await history.keys()
    for (const key of [...before, ...segments.map(({ key }) => key)]) assert.ok(keys.includes(key), key)
  }

  async function damage(history: KeptHistory, key: string, at: number): Promise<void> {
    const bytes = Buffer.concat(await Array.fromAsync(history.storage.get(key)))
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] ?? 0) ^ 1
    await history.storage.put(key, bytes)
  }

  it('while a manifest cannot be read', async () => {
    const { history } = await followed()
    const key = (await history.keys()).find((one) => one.includes('/backups/')) ?? ''
    await damage(history, key, 120)
    await refused(history, 'INTEGRITY', /\/backups\//)
  })

  it('while the pins cannot be read, which a verification finds too', async () => {
    const { history, backups } = await followed()
    await pinBackup(await history.database(), (await (await history.database()).catalog()).backups[0]?.id ?? '')
    await damage(history, 'databases/app/retention.json', -3)
    await refused(history, 'INTEGRITY', /retention\.json/)
    const { findings } = await verifyRepository((await history.database()).repository, { level: 'metadata' })
    assert.deepEqual(
      findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
      [['databases/app/retention.json', []]],
    )
    await history.checkAll(backups)
  })

  it('while it is not known what was verified', async () => {
    const { history } = await followed()
    const database = await history.database()
    await updateLedger(database, {}, { segments: new Set(), backups: new Set() })
    await damage(history, 'databases/app/verification.json', -3)
    await assert.rejects(expireDatabase(database, policy, { ...atOnce, now: history.time }), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
    assert.equal((await database.catalog()).backups.length, 10)
  })

  it('while the index of any segment is damaged', async () => {
    const { history } = await followed()
    await damage(history, (await history.segments())[7]?.key ?? '', -60)
    await refused(history, 'INTEGRITY', /-log\.hfs$/)
  })

  it('while an object has a segment’s place and no segment’s name', async () => {
    const { history } = await followed()
    await history.storage.put('databases/app/segments/strange', Buffer.from('?'))
    await refused(history, 'INTEGRITY', /strange/)
  })

  it('while a kept backup misses a segment', async () => {
    const { history } = await followed()
    const [, log] = await history.segments()
    await history.storage.delete(log?.key ?? '')
    await refused(history, 'INTEGRITY', /./)
  })

  it('while the content of a log that must be merged is damaged, and leaves no half-made segment', async () => {
    const { history } = await followed()
    const segments = await history.segments()
    await damage(history, segments.find(({ kind }) => kind === 'log')?.key ?? '', 140)
    await assert.rejects(expireDatabase(await history.database(), policy, { ...atOnce, now: history.time }), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
    assert.deepEqual(await history.segments(), segments)
  })

  it('while verification knows of damage in what is kept', async () => {
    const history = await KeptHistory.make()
    const old = await history.base(day)
    await history.backup(1, { segment: old })
    const base = await history.base(day)
    await history.backup(2, { segment: base })
    const bad = { checkedAt: new Date(history.time).toISOString(), ok: false, problem: 'A block is damaged.' }
    const existing = { segments: new Set([base.key]), backups: new Set<string>() }
    await updateLedger(await history.database(), { segments: { [base.key]: bad } }, existing)
    await refused(history, 'INTEGRITY', /-base\.hfs$/)
  })

  it('while a backup promises another state than its segments lead to', async () => {
    const history = await KeptHistory.make()
    const old = await history.base(day)
    await history.backup(1, { segment: old })
    const base = await history.base(day)
    const manifest = await history.backup(2, { segment: base })
    const database = await history.database()
    await database.deleteManifest(manifest)
    await database.putManifest({ ...manifest, checksum: '0123456789abcdef' })
    await refused(history, 'INTEGRITY', /-base\.hfs$/)
  })

  it('in a dry run, which takes no lease either and says the same as the run', async () => {
    const { history } = await followed()
    const database = await history.database()
    await using lease = await Lease.acquire(database, { purpose: 'backup' })
    const before = await history.keys()
    const options = { ...atOnce, now: history.time }
    const planned = await expireDatabase(database, policy, { ...options, dryRun: true })
    assert.deepEqual(await history.keys(), before)
    await assert.rejects(expireDatabase(database, policy, options), (error) => hasCode(error, 'LEASE_HELD'))
    const done = await expireDatabase(database, policy, { ...options, lease })
    assert.deepEqual(
      [planned.keep, planned.drop, planned.deleted.map(({ key }) => key).sort()],
      [done.keep, done.drop, done.deleted.map(({ key }) => key).sort()],
    )
    assert.deepEqual(
      planned.merged.map(({ kind, from, to }) => [kind, from, to]),
      done.merged.map(({ kind, from, to }) => [kind, from, to]),
    )
    await lease.confirm()
  })

  it('for a policy that makes no sense', async () => {
    const { history } = await followed()
    const database = await history.database()
    for (const wrong of [{ last: -1 }, { daily: 1.5 }, { timeZone: 'Mars' }, { last: 0 }, { maxBackups: 0 }])
      await assert.rejects(expireDatabase(database, wrong), (error) => hasCode(error, 'USAGE'))
  })
})
