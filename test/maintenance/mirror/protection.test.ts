import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HoldfastError, hasCode } from '../../../src/errors.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { formatKey, markerKey, recoveryKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { updateLedger } from '../../../src/repository/verification-ledger.ts'
import { FaultStorage } from '../../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { collectBytes } from '../../../src/util/bytes.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, copyInto, mirrorHistory } from './support/mirrored-history.ts'
import { WatchedStorage } from './support/watched-storage.ts'

async function mirrored(): Promise<{ history: KeptHistory; mirror: MemoryStorage }> {
  const history = await KeptHistory.make(7)
  const mirror = new MemoryStorage()
  for (let count = 0; count < 3; count += 1) {
    const segment = await history.base(day)
    await history.backup(history.lsn, { type: 'full', segment })
    await history.log(3, hour)
  }
  await mirrorHistory(history, mirror)
  return { history, mirror }
}

async function keysOf(storage: MemoryStorage, part = ''): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ key }) => key).filter((key) => key.includes(part))
}

async function damage(storage: MemoryStorage, key: string, cut = 0): Promise<void> {
  const bytes = Buffer.from(await collectBytes(storage.get(key)))
  bytes[200] = (bytes[200] ?? 0) ^ 1
  await storage.put(key, bytes.subarray(0, bytes.length - cut))
}

const clocksAt = (time: number) => ({ now: () => time, monotonic: () => 0 })

describe('a mirror is not emptied', () => {
  it('by a source that was emptied, or is not mounted', async () => {
    const { history, mirror } = await mirrored()
    const before = await contents(mirror)
    for (const key of await keysOf(history.storage)) await history.storage.delete(key)
    await assert.rejects(mirrorHistory(history, mirror, { graceMs: 0 }), { code: 'REPOSITORY_NOT_FOUND' })
    await Repository.init(history.storage)
    await assert.rejects(mirrorHistory(history, mirror, { graceMs: 0 }), { code: 'MIRROR' })
    assert.deepEqual(await contents(mirror), before)
  })

  it('by a source that goes away while it is mirrored', async () => {
    const { history, mirror } = await mirrored()
    const before = await contents(mirror)
    const source = await Repository.open(history.storage)
    for (const key of await keysOf(history.storage)) await history.storage.delete(key)
    await assert.rejects(mirrorTo(source, mirror, { graceMs: 0, now: history.time }), { code: 'REPOSITORY_NOT_FOUND' })
    assert.deepEqual(await contents(mirror), before)
  })

  it('by a source that lost objects, or a whole database, without having deleted them', async () => {
    const { history, mirror } = await mirrored()
    const before = await contents(mirror)
    const keep = new Set([markerKey, 'databases/app/database.json'])
    for (const key of await keysOf(history.storage)) if (!keep.has(key)) await history.storage.delete(key)
    const lost = await mirrorHistory(history, mirror, { graceMs: 0, now: history.time + 100 * day })
    assert.ok(lost.missing.length > 5)
    assert.deepEqual(lost.deleted, [])
    await history.storage.delete('databases/app/database.json')
    const all = await mirrorHistory(history, mirror, { graceMs: 0, now: history.time + 100 * day })
    assert.deepEqual(all.missing, ['databases/app/'])
    assert.deepEqual(await contents(mirror), before)
    assert.equal(await checkMirror(history, mirror), 3)
  })

  it('and says so, if the source lost all that names a database, and only its segments are left', async () => {
    const { history, mirror } = await mirrored()
    for (const key of await keysOf(history.storage, 'databases/'))
      if (!key.includes('/segments/')) await history.storage.delete(key)
    assert.deepEqual((await mirrorHistory(history, mirror)).missing, ['databases/app/'])
  })

  it('by retention that went mad', async () => {
    const { history, mirror } = await mirrored()
    for (let count = 0; count < 30; count += 1) {
      const segment = await history.base(day)
      await history.backup(history.lsn, { type: 'full', segment })
    }
    await mirrorHistory(history, mirror)
    await expireDatabase(await history.database(), { last: 1, window: hour }, { graceMs: 0, now: history.time })
    const noticed = await mirrorHistory(history, mirror)
    assert.ok(noticed.waiting.length > 30)
    const now = history.time + 8 * day
    const refused = await mirrorHistory(history, mirror, { now })
    assert.match(refused.heldBack[0]?.reason ?? '', /let go of 32 of the mirror's 33 backups; at most 16/)
    assert.equal(await checkMirror(history, mirror), 33)
    const { deleted, heldBack } = await mirrorHistory(history, mirror, { now, maxDelete: 32 })
    assert.deepEqual(heldBack, [])
    assert.ok(deleted.length > 60, String(deleted.length))
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('while anything in the source is damaged', async () => {
    const { history, mirror } = await mirrored()
    await expireDatabase(await history.database(), { last: 2, window: hour }, { graceMs: 0, now: history.time })
    await mirrorHistory(history, mirror)
    const [key = ''] = await keysOf(history.storage, '-base')
    const entry = { checkedAt: new Date(history.time).toISOString(), ok: false, problem: 'It is damaged.' }
    const existing = { segments: new Set([key]), backups: new Set<string>() }
    await updateLedger(await history.database(), { segments: { [key]: entry } }, existing)
    const now = history.time + 8 * day
    const held = await mirrorHistory(history, mirror, { now })
    assert.match(held.heldBack[0]?.reason ?? '', /is known to be damaged/)
    assert.deepEqual(held.deleted, [])
    await history.storage.delete('databases/app/verification.json')
    assert.ok((await mirrorHistory(history, mirror, { now })).deleted.length > 0)
  })
})

describe('damage', () => {
  it('in the source is named, and not spread', async () => {
    const { history, mirror } = await mirrored()
    const segment = await history.base(day)
    const lost = await history.backup(history.lsn, { type: 'full', segment })
    await damage(history.storage, segment.key)
    const report = await mirrorHistory(history, mirror)
    assert.equal(report.complete, false)
    assert.equal(report.findings[0]?.object, segment.key)
    assert.equal(report.findings[0]?.side, 'source')
    assert.match(report.findings[1]?.problem ?? '', /cannot be restored from the repository, so it is not mirrored/)
    assert.equal(await mirror.head(segment.key), undefined)
    assert.deepEqual(await keysOf(mirror, lost.id), [])
    assert.equal(await checkMirror(history, mirror), 3)
  })

  for (const region of [3, 200, 5000, -20]) {
    it(`in any region of a segment is noticed while it is copied (byte ${region})`, async () => {
      const history = await KeptHistory.make(8)
      const segment = await history.base()
      for (let more = 0; more < 8; more += 1) await history.log(5)
      const flipAt = region < 0 ? segment.bytes + region : Math.min(region, segment.bytes - 60)
      const source = await Repository.open(
        new FaultStorage(history.storage, { damage: [{ key: segment.key, flipAt }] }),
      )
      const mirror = new MemoryStorage()
      const { findings } = await mirrorTo(source, mirror, { now: history.time })
      assert.deepEqual(
        findings.map(({ object, side }) => ({ object, side })),
        [{ object: segment.key, side: 'source' }],
      )
      assert.equal(await mirror.head(segment.key), undefined)
    })
  }

  it('of a document is not spread either', async () => {
    const { history, mirror } = await mirrored()
    const { id } = await history.backup(history.lsn)
    const [key = ''] = await keysOf(history.storage, id)
    await damage(history.storage, key)
    const { findings } = await mirrorHistory(history, mirror)
    assert.deepEqual([findings[0]?.object, findings[0]?.side], [key, 'source'])
    assert.equal(await mirror.head(key), undefined)
  })

  it('of the mirror that shows in its size is healed', async () => {
    const { history, mirror } = await mirrored()
    const [segment = ''] = await keysOf(mirror, '-base')
    const [manifest = ''] = await keysOf(mirror, 'backups/')
    await damage(mirror, segment, 10)
    await damage(mirror, manifest, 10)
    const { healed, complete } = await mirrorHistory(history, mirror)
    assert.deepEqual(healed, [manifest, segment])
    assert.ok(complete)
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('of the mirror that a verification found is healed, and forgotten', async () => {
    const { history, mirror } = await mirrored()
    const [key = ''] = await keysOf(mirror, '-base')
    await damage(mirror, key)
    const found = await verifyRepository(await Repository.open(mirror), { level: 'data' }, clocksAt(history.time))
    assert.equal(found.ok, false)
    const { healed } = await mirrorHistory(history, mirror, { now: history.time + 1 })
    assert.deepEqual(healed, [key])
    assert.deepEqual((await mirrorHistory(history, mirror, { now: history.time + 2 })).healed, [])
    const clocks = clocksAt(history.time + 3)
    assert.equal((await verifyRepository(await Repository.open(mirror), { level: 'data' }, clocks)).ok, true)
  })

  it('of a document on the mirror is healed, though its size is as it was', async () => {
    const { history, mirror } = await mirrored()
    const documents = (await keysOf(mirror)).filter((key) => key.includes('/backups/') || key.endsWith('database.json'))
    assert.equal(documents.length, 4)
    for (const key of documents) await damage(mirror, key)
    const dry = await mirrorHistory(history, mirror, { dryRun: true })
    assert.deepEqual([...dry.healed].sort(), documents)
    const { healed, complete } = await mirrorHistory(history, mirror)
    assert.deepEqual([[...healed].sort(), complete], [documents, true])
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('of the instructions is not spread either, and healed on the mirror', async () => {
    const { history, mirror } = await mirrored()
    const instructions = [recoveryKey, formatKey]
    const before = await contents(mirror)
    for (const key of instructions) {
      assert.ok(before.has(key), key)
      await damage(history.storage, key)
    }
    await mirrorHistory(history, mirror)
    assert.deepEqual(await contents(mirror), before)
    for (const key of instructions) await history.storage.put(key, Buffer.from('ransom'))
    await mirrorHistory(history, mirror)
    assert.deepEqual(await contents(mirror), before)
    for (const key of instructions) await damage(mirror, key)
    await mirrorHistory(history, mirror)
    assert.deepEqual(await contents(mirror), before)
    const anew = new MemoryStorage({ name: 'anew' })
    await mirrorHistory(history, anew)
    assert.deepEqual(await contents(anew), before)
  })

  it('of the instructions is no reason to fail where there is no room for them', async () => {
    const { history, mirror } = await mirrored()
    await damage(mirror, formatKey)
    const put = mirror.put.bind(mirror)
    mirror.put = async (key, ...rest) => {
      if (key === formatKey) throw new HoldfastError('DISK_FULL', 'No space left.', { object: key })
      return await put(key, ...rest)
    }
    await expireDatabase(await history.database(), { last: 2, window: hour }, { graceMs: 0, now: history.time })
    const { complete, deleted } = await mirrorHistory(history, mirror, { graceMs: 0 })
    assert.deepEqual([complete, deleted.length > 0], [true, true])
  })

  it('of the source that shows in its size leaves the good copy on the mirror, and says so', async () => {
    const { history, mirror } = await mirrored()
    const [key = ''] = await keysOf(history.storage, '-base')
    const good = await collectBytes(mirror.get(key))
    await damage(history.storage, key, 10)
    const { findings, healed } = await mirrorHistory(history, mirror)
    assert.deepEqual([findings[0]?.object, findings[0]?.side, findings[0]?.soundCopy], [key, 'source', 'mirror'])
    assert.deepEqual(healed, [])
    assert.deepEqual(await collectBytes(mirror.get(key)), good)
  })

  it('that comes into being on the way to the mirror leaves nothing there', async () => {
    const history = await KeptHistory.make(9)
    const segment = await history.base()
    const mirror = new MemoryStorage()
    const faulty = new FaultStorage(mirror, { damage: [{ key: segment.key, flipAt: 150 }] })
    const { findings } = await mirrorTo(await Repository.open(history.storage), faulty, { now: history.time })
    assert.deepEqual([findings[0]?.side, findings[0]?.soundCopy], ['mirror', 'source'])
    assert.equal(await mirror.head(segment.key), undefined)
  })
})

describe('a source that changes while it is mirrored', () => {
  it('is listed again', async () => {
    const { history, mirror } = await mirrored()
    await history.log(3, hour)
    await history.log(3, hour)
    let isDone = false
    const source = new WatchedStorage(history.storage, {
      onGet: async (key) => {
        if (isDone || !key.includes('-log')) return
        isDone = true
        const { compactDatabase } = await import('../../../src/maintenance/compact/compact-database.ts')
        const rollUp = { minSegments: 2, growth: 1 }
        await compactDatabase(await history.database(), { rollUp, graceMs: 0, now: history.time })
        await history.freeLease()
      },
    })
    const report = await mirrorTo(await Repository.open(source), mirror, { graceMs: 0, now: history.time })
    assert.ok(isDone)
    assert.ok(report.complete, JSON.stringify(report.findings))
    assert.deepEqual((await mirrorHistory(history, mirror, { graceMs: 0 })).missing, [])
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })
})

describe('a place', () => {
  it('that is something else is refused, and left as it is', async () => {
    const { history, mirror } = await mirrored()
    const other = new MemoryStorage()
    await Repository.init(other)
    const own = new MemoryStorage()
    await copyInto(history.storage, own)
    const loose = new MemoryStorage()
    await loose.put('databases/app/database.json', Buffer.from('{}'))
    const another = await KeptHistory.make(10)
    for (const [place, what] of [
      [other, /a repository of its own, no mirror/],
      [own, /this repository itself/],
      [history.storage, /this repository itself/],
      [loose, /holds backups, and is no mirror/],
    ] as const) {
      const before = await contents(place)
      await assert.rejects(mirrorHistory(history, place), { code: 'MIRROR', message: what })
      assert.deepEqual(await contents(place), before)
    }
    await assert.rejects(mirrorHistory(another, mirror), { code: 'MIRROR', message: /of another repository/ })
  })

  it('may be a mirror of a mirror, but not the source of what it was made from', async () => {
    const history = await KeptHistory.make(7)
    await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
    const mirror = new MemoryStorage({ name: 'first' })
    await mirrorHistory(history, mirror)
    const second = new MemoryStorage({ name: 'second' })
    const { complete } = await mirrorTo(await Repository.open(mirror), second, { now: history.time })
    assert.ok(complete)
    assert.deepEqual(await contents(second), await contents(history.storage))
    const back = mirrorTo(await Repository.open(second), mirror, { now: history.time })
    await assert.rejects(back, (error) => hasCode(error, 'MIRROR'))
  })

  it('is mirrored to by one at a time', async () => {
    const { history, mirror } = await mirrored()
    await history.log(3, hour)
    const both = await Promise.allSettled([mirrorHistory(history, mirror), mirrorHistory(history, mirror)])
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const failed = both.find((each) => each.status === 'rejected')
    assert.ok(hasCode(failed?.reason, 'LEASE_HELD'))
    await mirrorHistory(history, mirror, { leaseWaitMs: 5000 })
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('is left as it is by a dry run, which says what there is to do', async () => {
    const { history, mirror } = await mirrored()
    const empty = new MemoryStorage()
    const first = await mirrorHistory(history, empty, { dryRun: true })
    assert.ok(first.isNew && first.copied.objects > 6)
    assert.deepEqual(await keysOf(empty), [])
    await history.log(3, hour)
    const before = await contents(mirror)
    const next = await mirrorHistory(history, mirror, { dryRun: true })
    assert.equal(next.copied.objects, 1)
    assert.deepEqual(await contents(mirror), before)
  })
})
