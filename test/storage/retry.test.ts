import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorCode, HoldfastError, hasCode } from '../../src/errors.ts'
import type { FaultMoment, FaultPlan } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { RetryOptions } from '../../src/storage/retry/backoff.ts'
import { RetryStorage } from '../../src/storage/retry/retry-storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'

const says = (code: ErrorCode) => (thrown: unknown) => hasCode(thrown, code)
const bytes = Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * 7919) >> 8))

/** A memory storage beneath faults beneath retries whose pauses take no time, and are written down. */
function setUp(plan: FaultPlan, options: RetryOptions = {}) {
  const pauses: number[] = []
  let time = 0
  const memory = new MemoryStorage()
  const faulty = new FaultStorage(memory, plan)
  const storage = new RetryStorage(faulty, {
    random: () => 1,
    now: () => time,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds)
      time += milliseconds
    },
    ...options,
  })
  return { memory, faulty, storage, pauses }
}

const lasting: FaultPlan = { failAt: 0, crash: true }

describe('retries', () => {
  for (const moment of ['before', 'after', 'midway'] satisfies FaultMoment[]) {
    it(`hide one passing failure ${moment} any operation`, async () => {
      const { memory, storage, pauses } = setUp({})
      await storage.put('a', bytes)
      await storage.put('b', Buffer.from('b'))
      const once = () =>
        new RetryStorage(new FaultStorage(memory, { failAt: 0, moment }), { sleep: async (ms) => void pauses.push(ms) })
      assert.deepEqual(await collectBytes(once().get('a')), bytes)
      assert.deepEqual(
        await collectBytes(once().get('a', { offset: 100, length: 400_000 })),
        bytes.subarray(100, 400_100),
      )
      assert.deepEqual(
        await collectBytes(once().get('a', { offset: -500_000, length: 400_000 })),
        bytes.subarray(100_000, 500_000),
      )
      assert.deepEqual(await collectBytes(once().get('a', { offset: -5_000_000 })), bytes)
      assert.equal((await once().head('a'))?.size, bytes.length)
      const keys: string[] = []
      for await (const { key } of once().list('')) keys.push(key)
      assert.deepEqual(keys, ['a', 'b'])
      await once().put('c', bytes)
      assert.equal((await memory.head('c'))?.size, bytes.length)
      await once().delete('c')
      assert.equal(await memory.head('c'), undefined)
      assert.equal(pauses.length, 8)
    })
  }

  it('pause longer each time, up to a bound, and end after the last attempt', async () => {
    const { storage, pauses, faulty } = setUp(lasting, { attempts: 6, baseDelayMs: 100, maxDelayMs: 500 })
    await assert.rejects(storage.head('a'), says('STORAGE_TRANSIENT'))
    assert.deepEqual(pauses, [100, 200, 400, 500, 500])
    assert.equal(faulty.operations.length, 6)
  })

  it('spread their pauses between half of the bound and the whole', async () => {
    const { storage, pauses } = setUp(lasting, { attempts: 3, baseDelayMs: 100, random: () => 0 })
    await assert.rejects(storage.head('a'))
    assert.deepEqual(pauses, [50, 100])
  })

  it('begin no attempt after the time for it', async () => {
    const { storage, pauses } = setUp(lasting, { attempts: 100, baseDelayMs: 1000, maxElapsedMs: 8000 })
    await assert.rejects(storage.head('a'), says('STORAGE_TRANSIENT'))
    assert.deepEqual(pauses, [1000, 2000, 4000])
  })

  it('happen when the storage is asked to slow down, and for no other error', async () => {
    const codes: readonly [ErrorCode, number][] = [
      ['STORAGE_TRANSIENT', 2],
      ['STORAGE_THROTTLED', 2],
      ['STORAGE_DENIED', 1],
      ['DISK_FULL', 1],
      ['STORAGE_CORRUPT', 1],
      ['OBJECT_EXISTS', 1],
      ['INTERNAL', 1],
    ]
    for (const [code, expected] of codes) {
      const { storage, faulty } = setUp({ failAt: 0, code })
      await storage.put('a', bytes).catch((thrown) => assert.ok(hasCode(thrown, code)))
      assert.equal(faulty.operations.length, expected, code)
    }
  })

  it('end with the signal, also in a pause', async () => {
    const controller = new AbortController()
    const { storage, faulty } = setUp(lasting, {
      sleep: async (_, signal) => {
        controller.abort()
        if (signal?.aborted) throw new HoldfastError('ABORTED', 'cancelled')
      },
    })
    await assert.rejects(storage.head('a', { signal: controller.signal }), says('ABORTED'))
    assert.equal(faulty.operations.length, 1)
    const real = new RetryStorage(new FaultStorage(new MemoryStorage(), lasting), {
      baseDelayMs: 3_600_000,
      maxDelayMs: 3_600_000,
      maxElapsedMs: 7_200_000,
    })
    const later = new AbortController()
    setImmediate(() => later.abort())
    await assert.rejects(real.head('a', { signal: later.signal }), says('ABORTED'))
  })

  it('do not repeat a put of a stream, which cannot be read twice', async () => {
    const { storage, faulty, memory } = setUp({ failAt: 0, moment: 'midway' })
    async function* stream() {
      yield bytes
    }
    await assert.rejects(storage.put('a', stream()), says('STORAGE_TRANSIENT'))
    assert.equal(faulty.operations.length, 1)
    assert.equal(await memory.head('a'), undefined)
  })

  it('go on where a read broke, without reading again what has come', async () => {
    const { storage, faulty, memory } = setUp({ failAt: 0, moment: 'midway' })
    await memory.put('a', bytes)
    let came = 0
    for await (const chunk of storage.get('a')) came += chunk.length
    assert.equal(came, bytes.length)
    assert.deepEqual(faulty.operations, [
      { name: 'get', key: 'a' },
      { name: 'get', key: 'a' },
    ])
  })
})

describe('a conditional put whose answer was lost', () => {
  it('is a success if the object is our own', async () => {
    const { storage, memory } = setUp({ failAt: 0, moment: 'after' })
    const info = await storage.put('lease', Buffer.from('ours'), { ifAbsent: true })
    assert.equal(info.etag, (await memory.head('lease'))?.etag)
  })

  it('is a success if the replaced object is our own', async () => {
    const { storage, memory } = setUp({ failAt: 0, moment: 'after' })
    const { etag } = await memory.put('lease', Buffer.from('before'))
    const info = await storage.put('lease', Buffer.from('ours'), { ifMatch: etag })
    assert.notEqual(info.etag, etag)
    assert.equal(info.etag, (await memory.head('lease'))?.etag)
  })

  for (const [condition, code] of [
    ['ifAbsent', 'OBJECT_EXISTS'],
    ['ifMatch', 'OBJECT_CHANGED'],
  ] as const) {
    for (const theirs of ['them', 'others', '']) {
      it(`is refused (${condition}) if it never took effect and another writer's "${theirs}" is there`, async () => {
        const memory = new MemoryStorage()
        const faulty = new FaultStorage(memory, { failAt: 0, moment: 'before' })
        const storage = new RetryStorage(faulty, {
          sleep: async () => void (await memory.put('lease', Buffer.from(theirs))),
        })
        const options =
          condition === 'ifAbsent'
            ? { ifAbsent: true }
            : { ifMatch: (await memory.put('lease', Buffer.from('0'))).etag }
        await assert.rejects(storage.put('lease', Buffer.from('ours'), options), says(code))
      })
    }
  }

  it('is refused without a second look if nothing was lost', async () => {
    const { storage, memory, faulty } = setUp({})
    await memory.put('lease', Buffer.from('ours'))
    await assert.rejects(storage.put('lease', Buffer.from('ours'), { ifAbsent: true }), says('OBJECT_EXISTS'))
    assert.equal(faulty.operations.length, 1)
  })
})
