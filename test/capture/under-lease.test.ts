/** What a capture does in the repository under its lease: a base, and what others ask it to do, beside its uploads. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Capture } from '../../src/capture/capture.ts'
import { hasCode } from '../../src/errors.ts'
import { compactDatabase } from '../../src/maintenance/compact/compact-database.ts'
import { Lease } from '../../src/repository/lease.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { pageHash } from '../../src/util/page-hash.ts'
import { seededRandom } from '../support/random.ts'
import { Fuse } from './support/fuse.ts'
import { Rig } from './support/rig.ts'

/** Another process takes the lease over, as it may when ours has expired, or somebody removed it. */
async function takeLease(rig: Rig): Promise<Lease> {
  await rig.freeLease()
  return await Lease.acquire(await rig.repository(), { purpose: 'backup' })
}

async function segmentsOf(rig: Rig) {
  return (await (await rig.repository()).catalog()).segments
}

describe('a base that a capture stores', () => {
  it('is not published if the lease was lost while the database was read', async () => {
    const rig = await Rig.make()
    let other: Lease | undefined
    rig.database.onRead = async () => {
      other = await takeLease(rig)
    }
    await assert.rejects(rig.follow(), (error) => hasCode(error, 'LEASE_LOST'))
    assert.deepEqual(await segmentsOf(rig), [])
    assert.equal(rig.database.followers, 0)
    await other?.[Symbol.asyncDispose]()
    rig.database.onRead = undefined
    await using capture = await rig.follow()
    await capture.sync()
    await rig.check()
  })

  it('is not published if the lease ran out while the database was read', async (context) => {
    const rig = await Rig.make()
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    rig.database.onRead = () => context.mock.timers.setTime(Date.now() + 2 * 3_600_000)
    await assert.rejects(rig.follow(), (error) => hasCode(error, 'LEASE_LOST'))
    assert.deepEqual(await segmentsOf(rig), [])
  })
})

describe('what is asked of a capture under its lease', () => {
  const work = async () => 'done'

  it('is refused to each that asks, and the capture ends, if another process has the database', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    await capture.sync()
    await using _ = await takeLease(rig)
    const gate = Promise.withResolvers<void>()
    const first = capture.exclusively(async (_database, lease) => {
      await gate.promise
      await lease.confirm()
    })
    const own = new Error('its own failure')
    const second = capture.exclusively(() => Promise.reject(own))
    const third = capture.exclusively(work)
    gate.resolve()
    const [one, two, three] = await Promise.allSettled([first, second, third])
    assert(one.status === 'rejected' && hasCode(one.reason, 'LEASE_LOST'))
    assert(two.status === 'rejected' && hasCode(two.reason, 'LEASE_HELD'))
    assert(three.status === 'rejected' && hasCode(three.reason, 'LEASE_HELD'))
    await assert.rejects(capture.done, (error) => hasCode(error, 'LEASE_HELD'))
    await assert.rejects(capture.exclusively(work), (error) => hasCode(error, 'LEASE_HELD', 'ABORTED'))
    await assert.rejects(capture.sync(), (error) => hasCode(error, 'LEASE_HELD'))
  })

  it('fails alone if only it fails', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    const own = new Error('its own failure')
    const [one, two] = await Promise.allSettled([
      capture.exclusively(() => Promise.reject(own)),
      capture.exclusively(work),
    ])
    assert(one.status === 'rejected' && one.reason === own)
    assert(two.status === 'fulfilled' && two.value === 'done')
    await capture.sync()
  })

  it('is done under a lease that was taken again, if nobody wrote meanwhile', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    await capture.sync()
    const other = await takeLease(rig)
    await assert.rejects(
      capture.exclusively((_database, lease) => lease.confirm()),
      (error) => hasCode(error, 'LEASE_LOST'),
    )
    await other[Symbol.asyncDispose]()
    assert.equal(await capture.exclusively(work), 'done')
    rig.database.commitRandom(seededRandom(5))
    await capture.sync()
    await rig.check()
  })

  it('waits its turn, and can be called off while it does', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    const slow = capture.exclusively(async () => {
      await gate.promise
      order.push('slow')
    })
    const calledOff = new AbortController()
    const never = capture.exclusively(async () => order.push('never'), { signal: calledOff.signal })
    const last = capture.exclusively(async () => order.push('last'))
    calledOff.abort()
    await assert.rejects(never, (error) => hasCode(error, 'ABORTED'))
    await setImmediate()
    assert.deepEqual(order, [])
    gate.resolve()
    await Promise.all([slow, last])
    assert.deepEqual(order, ['slow', 'last'])
  })
})

/** A capture with many small logs in the repository, and a compaction of them that cannot get on with its first merged log. */
async function stuckCompaction(fuse = new Fuse()) {
  const rig = await Rig.make()
  const random = seededRandom(9)
  const capture = await rig.follow({ rollUpEvery: 1_000 }, fuse)
  const commit = async (times: number): Promise<number> => {
    for (let n = 0; n < times; n += 1) {
      rig.database.commitRandom(random)
      await capture.sync()
    }
    return capture.status.durableLsn
  }
  await commit(12)
  const small = (await segmentsOf(rig)).filter(({ kind }) => kind === 'log')
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const put = rig.storage.put.bind(rig.storage)
  rig.storage.put = async (key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> => {
    const isMerged = key.endsWith('-log.hfs') && key.includes(`/${small[0]?.key.split('/').at(-1)?.split('-')[0]}-`)
    if (isMerged) {
      reached.resolve()
      await gate.promise
    }
    return await put(key, body, options)
  }
  const compaction = capture.exclusively((database, lease, signal) => compactDatabase(database, { lease, signal }))
  await Promise.race([reached.promise, compaction])
  return { rig, capture, random, commit, gate, compaction, small }
}

describe('a compaction that takes long', () => {
  it('does not hold uploads up, and loses nothing of what they bring', { timeout: 60_000 }, async () => {
    const { rig, capture, commit, gate, compaction, small } = await stuckCompaction()
    const before: Capture['status'] = capture.status
    const durable = await commit(5)
    assert.equal(durable, before.durableLsn + 5)
    assert.deepEqual(capture.status.waiting, { segments: 0, bytes: 0 })
    gate.resolve()
    const { logs } = await compaction
    assert.equal(logs.replaced, small.length)
    await commit(2)
    await capture.stop()
    const commits = await rig.check()
    assert.equal(commits.size, rig.database.seq)
  })

  it('is harmless when the process is killed in the midst of it', { timeout: 60_000 }, async () => {
    const fuse = new Fuse()
    const { rig, capture, commit, gate, compaction } = await stuckCompaction(fuse)
    await commit(3)
    fuse.blow()
    gate.resolve()
    await Promise.allSettled([compaction, capture.stop({ waitMs: 0 })])
    await rig.freeLease()
    await using again = await rig.follow()
    await again.sync()
    assert.deepEqual(rig.of('gap').slice(1), [])
    const database = (await Repository.open(rig.storage)).database('app')
    await again.exclusively((_, lease, signal) => compactDatabase(database, { lease, signal }))
    const commits = await rig.check()
    assert.equal(commits.size, rig.database.seq)
  })
})

describe('a full backup of a followed database', () => {
  it('takes a base back whose state was another at the second reading', { timeout: 60_000 }, async () => {
    const rig = await Rig.make()
    rig.database.hasLog = false
    const open = rig.database.openSnapshot.bind(rig.database)
    let isFailing = false
    rig.database.openSnapshot = async () => {
      const snapshot = await open()
      let wasChecked = false
      return {
        ...snapshot,
        inspect: async (options) => {
          wasChecked = isFailing
          return await snapshot.inspect(options)
        },
        pages: async function* (options) {
          for await (const { pages, values, hashes } of snapshot.pages(options)) {
            if (!wasChecked) yield { pages, values, hashes }
            else {
              const wrong = Uint8Array.from(values)
              wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
              const size = wrong.length / pages.length
              const hashOf = (page: number, at: number) => pageHash(page, wrong.subarray(at * size, (at + 1) * size))
              yield { pages, values: wrong, hashes: BigUint64Array.from(pages, hashOf) }
            }
          }
        },
      }
    }
    await using capture = await rig.follow({ deltaIntervalMs: 3_600_000 })
    rig.database.commitRandom(seededRandom(6))
    isFailing = true
    await assert.rejects(capture.backUp({ type: 'full' }), (error) => hasCode(error, 'DATABASE_CHANGED'))
    await capture.sync()
    const kinds = (await segmentsOf(rig)).map(({ kind }) => kind)
    assert.deepEqual(kinds.sort(), ['base', 'delta'])
    assert.deepEqual((await (await rig.repository()).catalog()).backups, [])
    isFailing = false
    const { metadata } = await capture.backUp({ type: 'full' })
    assert.ok((await segmentsOf(rig)).some(({ key }) => key === metadata.segment))
    await rig.check()
  })
})
