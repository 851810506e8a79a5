import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { compactDatabase } from '../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { retentionKey } from '../../src/repository/layout.ts'
import { noRetentionRecord } from '../../src/repository/retention-record.ts'
import { ObserveStorage } from '../../src/storage/observe/observe-storage.ts'
import type { BackupStorage, ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { day, hour, KeptHistory } from './support/kept-history.ts'

const atOnce = { graceMs: 0 }

/** A full backup and so many incremental ones, each on the one before. */
async function chain(length: number, seed = 1): Promise<KeptHistory> {
  const history = await KeptHistory.make(seed)
  const base = await history.base()
  await history.backup(1, { type: 'full', segment: base })
  for (let n = 1; n < length; n += 1) {
    const segment = await history.delta()
    await history.backup(history.lsn, { segment })
  }
  return history
}

async function contentsOf(storage: BackupStorage): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>()
  for await (const { key } of storage.list(''))
    contents.set(key, Buffer.concat(await Array.fromAsync(storage.get(key))))
  return contents
}

/** Has room for so many more segments while another is there. */
class RoomFor extends ObserveStorage {
  refused = 0
  #left: number
  readonly #other: string

  constructor(inner: BackupStorage, left: number, other: string) {
    super(inner, () => {})
    this.#left = left
    this.#other = other
  }

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (!key.endsWith('.hfs') || (await super.head(this.#other)) === undefined)
      return await super.put(key, body, options)
    if (this.#left === 0) {
      this.refused += 1
      throw new HoldfastError('DISK_FULL', 'No space left.', { object: key })
    }
    this.#left -= 1
    return await super.put(key, body, options)
  }
}

async function longest(history: KeptHistory): Promise<number> {
  const segments = await history.segments()
  return Math.max(...(await history.reachable()).map((lsn) => planRestore(segments, toLsn(lsn)).steps.length))
}

describe('compaction', () => {
  it('keeps incremental chains short, and every backup what it was', async () => {
    const history = await chain(80)
    assert.equal(await longest(history), 80)
    const database = await history.database()
    const planned = await compactDatabase(database, { now: history.time, dryRun: true })
    const report = await compactDatabase(database, { now: history.time })
    assert.deepEqual(
      report.merged.map(({ kind, to }) => [kind, to]),
      planned.merged.map(({ kind, to }) => [kind, to]),
    )
    assert.deepEqual(
      report.merged.map(({ kind, to }) => [kind, to]),
      [
        ['base', 31],
        ['base', 61],
      ],
    )
    assert.ok((await longest(history)) <= 30)
    await history.checkAll(Array.from({ length: 80 }, (_, i) => i + 1))
    const again = await compactDatabase(database, { now: history.time })
    assert.deepEqual([again.merged, again.deleted], [[], []])
    const { ok, findings } = await verifyRepository(database.repository, { level: 'data' })
    assert.ok(ok, JSON.stringify(findings))
  })

  it('merges a part of the chain where the base is too large to be written again', async () => {
    const history = await chain(40, 5)
    const limits = { maxChain: 8, smallBase: 0, maxGrowth: 1e9 }
    const report = await compactDatabase(await history.database(), { now: history.time, limits, heldBytes: 2048 })
    assert.ok(report.merged.length > 3 && report.merged.some(({ kind }) => kind === 'delta'))
    assert.ok((await longest(history)) <= 8)
    await history.checkAll(Array.from({ length: 40 }, (_, i) => i + 1))
  })

  it('loses no commit of a followed database, however old, and makes fewer logs of many', async () => {
    const history = await KeptHistory.make(9)
    await history.base()
    for (let n = 0; n < 120; n += 1) await history.log(1 + (n % 3), hour)
    await history.backup(history.lsn - 40)
    const before = await history.reachable()
    const options = { ...atOnce, now: history.time + 900 * day }
    const report = await compactDatabase(await history.database(), options)
    assert.equal(report.logs.replaced, 120)
    assert.deepEqual(await history.reachable(), before)
    await history.checkAll(before)
  })

  it('shortens the chain to logs that come one after the other without end', async () => {
    const history = await KeptHistory.make(10)
    await history.base()
    for (let n = 0; n < 50; n += 1) await history.log(2, hour)
    const before = await history.reachable()
    // As if each were too large to be merged with its neighbours.
    const report = await compactDatabase(await history.database(), {
      ...atOnce,
      now: history.time,
      rollUp: { maxBytes: 1 },
      limits: { maxChain: 10 },
    })
    assert.equal(report.logs.merged, 0)
    assert.ok((await longest(history)) <= 10)
    assert.deepEqual(await history.reachable(), before)
    await history.checkAll(before)
  })

  it('does not bring back what expiry has let go, and deletes it when its time has come', async () => {
    const history = await KeptHistory.make(11)
    for (let n = 0; n < 6; n += 1) {
      const segment = await history.base(day)
      await history.backup(history.lsn, { type: 'full', segment })
    }
    const database = await history.database()
    const expired = await expireDatabase(database, { last: 2, window: 0 }, { now: history.time })
    assert.equal(expired.waiting.length, 4)
    const early = await compactDatabase(database, { now: history.time + hour })
    assert.deepEqual([early.deleted.length, early.waiting.length], [0, 4])
    const late = await compactDatabase(database, { now: history.time + day })
    assert.deepEqual([late.deleted.length, late.waiting.length], [4, 0])
    await history.checkAll([5, 6])
  })

  it('lets nothing go that was stored on top of what expiry has let go', async () => {
    for (const store of ['log', 'delta'] as const) {
      const history = await KeptHistory.make(12)
      await history.backup(1, { type: 'full', segment: await history.base() })
      const between = await history.delta()
      const database = await history.database()
      const since = new Date(history.time).toISOString()
      // As if what came after it had been taken for the newest state.
      const trash = { [between.key]: { since } }
      await writeDocument(database.storage, 'retention', retentionKey('app'), { ...noRetentionRecord, trash })
      if (store === 'log') await history.log(3)
      else await history.delta()
      const kept = history.lsn
      await history.backup(history.lsn + 1, { type: 'full', segment: await history.base() })
      await compactDatabase(database, { ...atOnce, now: history.time })
      const reachable = await history.reachable()
      const wanted = store === 'log' ? [3, 4, 5] : [kept]
      for (const lsn of wanted) assert.ok(reachable.includes(lsn), `${store}: LSN ${lsn} is gone; left: ${reachable}`)
      await history.checkAll(wanted)
    }
  })

  it('keeps every full backup, also where another way to its state would be cheaper', async () => {
    const history = await chain(5)
    const full = await history.base()
    await history.backup(history.lsn, { type: 'full', segment: full })
    const cheap = await history.delta()
    await history.backup(history.lsn, { segment: cheap })
    await compactDatabase(await history.database(), { ...atOnce, now: history.time })
    assert.ok((await history.keys()).includes(full.key))
    await history.checkAll(await history.reachable())
  })

  it('tells what it made before it had to make room together with what it made after that', async () => {
    const history = await KeptHistory.make(13)
    const due = await history.base()
    await history.backup(2, { type: 'full', segment: await history.base(2 * day) })
    for (let n = 0; n < 3; n += 1) await history.log(2, hour)
    for (let n = 0; n < 12; n += 1) await history.backup(history.lsn, { segment: await history.delta() })
    const since = new Date(history.time - 2 * day).toISOString()
    const plain = new Map(await contentsOf(history.storage))
    const options = { now: history.time, rollUp: { minSegments: 2, growth: 1 }, limits: { maxChain: 3 } }
    const compactIn = async (roomFor: number) => {
      for (const key of (await contentsOf(history.storage)).keys()) await history.storage.delete(key)
      for (const [key, bytes] of plain) await history.storage.put(key, bytes)
      const trash = { [due.key]: { since } }
      await writeDocument(history.storage, 'retention', retentionKey('app'), { ...noRetentionRecord, trash })
      const full = new RoomFor(history.storage, roomFor, due.key)
      const { logs, merged, deleted } = await compactDatabase(await history.database(full), options)
      return {
        refused: full.refused,
        made: { logs, merged: merged.map(({ kind, from, to }) => [kind, from, to]), deleted },
      }
    }
    const roomy = await compactIn(Number.POSITIVE_INFINITY)
    assert.ok(roomy.made.logs.merged > 0 && roomy.made.merged.length > 1, JSON.stringify(roomy.made))
    const all = roomy.made.logs.merged + roomy.made.merged.length
    for (let roomFor = 0; roomFor < all; roomFor += 1) {
      const { refused, made } = await compactIn(roomFor)
      assert.equal(refused, 1)
      assert.deepEqual(made, roomy.made, `with room for ${roomFor}`)
    }
  })

  it('changes nothing while anything is unreadable', async () => {
    const history = await chain(40)
    const [, second] = await history.segments()
    const bytes = Buffer.concat(await Array.fromAsync(history.storage.get(second?.key ?? '')))
    await history.storage.put(second?.key ?? '', bytes.subarray(0, bytes.length - 20))
    const before = await history.keys()
    await assert.rejects(compactDatabase(await history.database(), { ...atOnce, now: history.time }), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
    assert.deepEqual(await history.keys(), before)
  })
})
