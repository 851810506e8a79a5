/** Upkeep that ends at any of its storage operations, before, after or in the midst of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { isReachable, reachableLsns } from '../../src/history/reachable.ts'
import { compactDatabase } from '../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readRetention } from '../../src/repository/retention-record.ts'
import type { FaultMoment } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ObserveStorage } from '../../src/storage/observe/observe-storage.ts'
import type { BackupStorage, ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { testSeed } from '../support/random.ts'
import { day, hour, KeptHistory } from './support/kept-history.ts'

const policy = { last: 2, window: day }

/** Logs of two epochs, with a lost writer's beside them; backups, some of which are to go; and things that are in the trash already. */
async function sample(): Promise<{ history: KeptHistory; kept: number[]; now: number }> {
  const history = await KeptHistory.make(21)
  const first = await history.base(day)
  await history.backup(1, { type: 'full', segment: first })
  await history.log(4, day)
  await history.backup(history.lsn - 1)
  const fork = history.lsn
  await history.log(4, day, 2)
  await history.zombieLog(fork, 2, 1)
  await expireDatabase(await history.database(), policy, { now: history.time })
  await history.delta(day, undefined, 2)
  const kept = [(await history.backup()).lsn]
  await history.log(3, day, 2)
  kept.push((await history.backup(history.lsn - 1)).lsn)
  await history.log(2, hour, 2)
  return { history, kept: [...kept, history.lsn - 1, history.lsn], now: history.time }
}

/** Has no room for a segment while all of some others are there. */
class FullStorage extends ObserveStorage {
  refused = 0
  readonly #keys: readonly string[]

  constructor(inner: BackupStorage, keys: readonly string[]) {
    super(inner, () => {})
    this.#keys = keys
  }

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (!key.endsWith('.hfs')) return await super.put(key, body, options)
    for (const other of this.#keys)
      if ((await super.head(other)) === undefined) return await super.put(key, body, options)
    this.refused += 1
    throw new HoldfastError('DISK_FULL', 'No space left.', { object: key })
  }
}

async function copyOf(storage: MemoryStorage): Promise<MemoryStorage> {
  const copy = new MemoryStorage()
  for await (const { key } of storage.list(''))
    await copy.put(key, Buffer.concat(await Array.fromAsync(storage.get(key))))
  return copy
}

/** What can be reached without what is in the trash. */
async function stillNeeded(history: KeptHistory): Promise<number[]> {
  const { trash } = await readRetention(await history.database())
  const ranges = reachableLsns((await history.segments()).filter(({ key }) => trash[key] === undefined))
  return [...history.commits.keys()].filter((lsn) => isReachable(ranges, toLsn(lsn)))
}

async function everyFault(
  moment: FaultMoment,
  work: (database: DatabaseRepository, now: number) => Promise<unknown>,
  keeps: 'kept' | 'all',
) {
  const { history, kept: wanted, now } = await sample()
  const kept = keeps === 'kept' ? wanted : await stillNeeded(history)
  await history.freeLease()
  const original = await copyOf(history.storage)
  let runs = 0
  for (let failAt = 0; ; failAt += 1) {
    for (const { key } of await Array.fromAsync(history.storage.list(''))) await history.storage.delete(key)
    for (const { key } of await Array.fromAsync(original.list('')))
      await history.storage.put(key, Buffer.concat(await Array.fromAsync(original.get(key))))
    const faulty = new FaultStorage(history.storage, { failAt, moment, crash: true })
    try {
      await work((await Repository.open(faulty)).database('app'), now)
    } catch (error) {
      assert.ok(hasCode(error, 'STORAGE_TRANSIENT', 'LEASE_LOST'), String(error))
    }
    await history.freeLease()
    await history.checkAll(kept)
    await work(await history.database(), now)
    if (failAt % 4 === 0) await history.checkAll(kept)
    const { problems } = await (await history.database()).catalog()
    assert.deepEqual(problems, [])
    if (!faulty.tripped) break
    runs += 1
    await history.freeLease()
  }
  return { runs, keys: await history.keys() }
}

describe('an interruption at any storage operation', () => {
  for (const moment of ['before', 'after', 'midway'] as const) {
    it(`of an expiry (${moment}) loses no kept state, and the next run ends where an undisturbed one does`, async () => {
      const { history, now } = await sample()
      const options = { graceMs: hour, now }
      await expireDatabase(await history.database(), policy, options)
      const { runs, keys } = await everyFault(moment, (database) => expireDatabase(database, policy, options), 'kept')
      assert.deepEqual(keys, await history.keys())
      assert.ok(runs > 40, String(runs))
    })

    it(`of an expiry on a full disk (${moment}) loses no kept state, and the next run ends where an undisturbed one does`, async () => {
      const { history, now } = await sample()
      const options = { graceMs: hour, now }
      const { deleted } = await expireDatabase(await history.database(), policy, options)
      const due = deleted.map(({ key }) => key)
      let rescued = 0
      const work = async (database: DatabaseRepository) => {
        const full = new FullStorage(database.storage, due)
        const report = await expireDatabase((await Repository.open(full)).database('app'), policy, options)
        if (full.refused > 0 && report.merged.length > 0) rescued += 1
      }
      const { runs, keys } = await everyFault(moment, work, 'kept')
      assert.deepEqual(keys, await history.keys())
      assert.ok(runs > 40 && rescued > 0, `${runs} ${rescued}`)
    })

    it(`of a compaction (${moment}) loses no commit`, async () => {
      const tight = { graceMs: 0, rollUp: { minSegments: 2, growth: 1 }, limits: { maxChain: 2 } }
      const { runs } = await everyFault(moment, (database, now) => compactDatabase(database, { ...tight, now }), 'all')
      assert.ok(runs > 40, String(runs))
    })
  }
})

describe('a life of backups, expiry, compaction and crashes', () => {
  it('never changes or loses a kept state or a commit of the window', async () => {
    const seed = testSeed()
    console.log(`HOLDFAST_SEED=${seed}`)
    const history = await KeptHistory.make(seed)
    const { random } = history
    await history.base()
    for (let turn = 0; turn < 60; turn += 1) {
      if (random.chance(40)) await history.log(1 + random.below(6), random.below(3) * day + hour)
      else if (random.chance(60)) await history.delta(day)
      else {
        const segment = await history.base(day)
        await history.backup(history.lsn, { type: 'full', segment })
      }
      const recent = (await history.reachable()).slice(-3)
      if (random.chance(60)) await history.backup(recent[random.below(recent.length)])
      if (!random.chance(50)) continue
      const { backups } = await (await history.database()).catalog()
      const within = { last: 1 + random.below(4), daily: random.below(5), window: random.below(4) * day }
      const dry = { dryRun: true, now: history.time }
      const { keep } = backups.length === 0 ? { keep: [] } : await expireDatabase(await history.database(), within, dry)
      const since = history.time - within.window
      // What an earlier policy let go stays let go.
      const reachable = new Set(await stillNeeded(history))
      const young = [...history.commits.values()].filter(({ lsn, time }) => time >= since && reachable.has(lsn))
      const wanted = new Set([...keep.map(({ backup }) => backup.lsn), ...young.map(({ lsn }) => lsn)])
      const failAt = random.chance(50) ? random.below(400) : Number.POSITIVE_INFINITY
      const moment = random.pick<FaultMoment>(['before', 'after', 'midway'])
      const faulty = new FaultStorage(history.storage, { failAt, moment, crash: true })
      const options = {
        graceMs: random.below(2) * day,
        now: history.time,
        limits: { maxChain: 3 + random.below(6), smallBase: random.below(2) * 1e9 },
      }
      try {
        const database = (await Repository.open(faulty)).database('app')
        if (random.chance(70)) await expireDatabase(database, within, options)
        else await compactDatabase(database, options)
      } catch (error) {
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT', 'LEASE_LOST', 'DISK_FULL'), String(error))
      }
      await history.freeLease()
      await history.checkAll(wanted)
      await history.check(history.lsn)
    }
  })
})
