import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { rollUpLogs } from '../../src/maintenance/roll-up/roll-up-logs.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { retentionKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { noRetentionRecord } from '../../src/repository/retention-record.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { Rig } from '../capture/support/rig.ts'
import { seededRandom, testSeed } from '../support/random.ts'

const small = { minSegments: 3, growth: 1 }

/** Logs of one to three commits each, with a gap in the middle. */
async function manySmallLogs(seed: number): Promise<Rig> {
  const rig = await Rig.make()
  const random = seededRandom(seed)
  await using capture = await rig.follow()
  for (let n = 0; n < 24; n += 1) {
    if (n === 12) rig.database.loseNext = 'log-reset'
    for (let count = 1 + random.below(3); count > 0; count -= 1) rig.database.commitRandom(random)
    await capture.sync()
  }
  return rig
}

const logsOf = async (rig: Rig) =>
  (await (await rig.repository()).catalog()).segments.filter(({ kind }) => kind === 'log')

describe('merging small logs', () => {
  it('leaves every commit restorable, exactly, and fewer objects', async () => {
    const seed = testSeed()
    console.log(`seed ${seed}`)
    const rig = await manySmallLogs(seed)
    const before = await rig.check()
    const result = await rollUpLogs(await rig.repository(), small)
    assert.deepEqual(await rig.check(), before)
    assert.equal((await logsOf(rig)).length, 2)
    assert.deepEqual(result, { replaced: 23, merged: 2 })
    const { ok, findings } = await verifyRepository(await Repository.open(rig.storage), { level: 'data' })
    assert.ok(ok, JSON.stringify(findings))
  })

  it('leaves out what is to be deleted: else what is kept would begin where nothing leads to any more', async () => {
    const rig = await manySmallLogs(5)
    const database = await rig.repository()
    const [first, second, ...kept] = await logsOf(rig)
    assert.ok(first && second && kept.length > 0)
    const since = new Date(rig.clock.now()).toISOString()
    const trash = { [first.key]: { since }, [second.key]: { since } }
    await writeDocument(database.storage, 'retention', retentionKey('app'), { ...noRetentionRecord, trash })
    await rollUpLogs(database, small)
    const [oldest, next] = await logsOf(rig)
    assert.equal(oldest?.key, first.key)
    assert.equal(next?.key, second.key)
    assert.ok((await logsOf(rig)).some(({ from }) => from === second.to))
  })

  it('goes on by a following capture as if nothing had been', async () => {
    const rig = await Rig.make()
    const random = seededRandom(31)
    const capture = await rig.follow({ rollUp: (database) => rollUpLogs(database, small), rollUpEvery: 5 })
    for (let n = 0; n < 20; n += 1) {
      rig.database.commitRandom(random)
      await capture.sync()
    }
    await capture.stop()
    assert.ok((await logsOf(rig)).length < 10)
    const again = await rig.follow()
    rig.database.commitRandom(random)
    await again.sync()
    await again.stop()
    assert.equal((await rig.check()).size, 22)
    assert.equal(rig.of('started')[1]?.how, 'resumed')
    assert.deepEqual(rig.of('warning'), [])
  })

  it('is completed by the next one, wherever it was interrupted', async () => {
    for (let n = 0; ; n += 1) {
      const rig = await manySmallLogs(n)
      const before = await rig.check()
      const faulty = new FaultStorage(rig.storage, {
        failAt: n * 41,
        moment: n % 2 === 0 ? 'after' : 'midway',
        crash: true,
      })
      try {
        const repository = await Repository.open(faulty)
        await rollUpLogs(repository.database('app'), small)
      } catch (error) {
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error))
      }
      assert.deepEqual(await rig.check(), before)
      await rollUpLogs(await rig.repository(), small)
      assert.deepEqual(await rig.check(), before)
      assert.ok((await logsOf(rig)).length <= 4)
      if (!faulty.tripped) break
    }
  })

  it('deletes nothing on the word of a damaged log', async () => {
    const rig = await manySmallLogs(32)
    const logs = await logsOf(rig)
    const kept = new Map<string, Buffer>()
    for (const { key } of logs) kept.set(key, Buffer.concat(await Array.fromAsync(rig.storage.get(key))))
    await rollUpLogs(await rig.repository(), small)
    for (const [key, bytes] of kept) await rig.storage.put(key, bytes)
    const merged = (await logsOf(rig)).filter(({ key }) => !kept.has(key))
    for (const { key } of merged) {
      const bytes = Buffer.concat(await Array.fromAsync(rig.storage.get(key)))
      bytes[200] = (bytes[200] ?? 0) ^ 1
      await rig.storage.put(key, bytes)
    }
    await rollUpLogs(await rig.repository(), small)
    for (const key of kept.keys()) assert.ok(await rig.storage.head(key), key)
  })
})
