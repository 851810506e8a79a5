import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import type { FaultMoment } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'

const text = async (storage: BackupStorage, key: string) => Buffer.from(await collectBytes(storage.get(key))).toString()
const listKeys = async (storage: BackupStorage) => {
  const keys: string[] = []
  for await (const { key } of storage.list('')) keys.push(key)
  return keys
}

/** Moves an object in four operations, in an order that never loses it. */
async function move(storage: BackupStorage): Promise<void> {
  const bytes = await collectBytes(storage.get('old'))
  await storage.put('new', bytes)
  if ((await storage.head('new'))?.size !== bytes.length) throw new Error('it did not arrive')
  await storage.delete('old')
}

describe('injected faults', () => {
  for (const crash of [false, true]) {
    for (const moment of ['before', 'after', 'midway'] satisfies FaultMoment[]) {
      it(`fail every operation of some work in turn, ${moment}${crash ? ', and all that follow' : ''}`, async () => {
        const endings: string[] = []
        for (let failAt = 0, tripped = true; tripped; failAt++) {
          const memory = new MemoryStorage()
          await memory.put('old', Buffer.from('content'))
          const storage = new FaultStorage(memory, { failAt, moment, crash })
          const error: unknown = await move(storage).catch((thrown: unknown) => thrown)
          tripped = storage.tripped
          assert.equal(hasCode(error, 'STORAGE_TRANSIENT'), tripped)
          assert.equal(storage.operations.length, tripped ? failAt + 1 : 4)
          if (tripped && crash) await assert.rejects(storage.head('old'))
          else if (tripped) await storage.head('old')
          const keys = await listKeys(memory)
          for (const key of keys) assert.equal(await text(memory, key), 'content')
          endings.push(keys.join('+'))
        }
        const expected = {
          before: ['old', 'old', 'new+old', 'new+old', 'new'],
          after: ['old', 'new+old', 'new+old', 'new', 'new'],
          midway: ['old', 'old', 'new+old', 'new+old', 'new'],
        }
        assert.deepEqual(endings, expected[moment])
      })
    }
  }

  it('take the place of a refusal too', async () => {
    const memory = new MemoryStorage()
    await memory.put('a', Buffer.from('1'))
    for (const moment of ['before', 'after', 'midway'] satisfies FaultMoment[]) {
      const failing = () => new FaultStorage(memory, { failAt: 0, moment })
      const transient = { code: 'STORAGE_TRANSIENT' }
      await assert.rejects(failing().put('a', Buffer.from('2'), { ifAbsent: true }), transient)
      await assert.rejects(collectBytes(failing().get('none')), transient)
    }
  })

  it('fail a streamed put and a read midway', async () => {
    const memory = new MemoryStorage()
    async function* stream() {
      yield Buffer.from('con')
      yield Buffer.from('tent')
    }
    const failing = (failAt: number) =>
      new FaultStorage(memory, { failAt, moment: 'midway', code: 'STORAGE_THROTTLED' })
    await assert.rejects(failing(0).put('a', stream()), (thrown) => hasCode(thrown, 'STORAGE_THROTTLED'))
    assert.deepEqual(await listKeys(memory), [])
    await memory.put('a', stream())
    let came = ''
    const readAll = async () => {
      for await (const chunk of failing(0).get('a')) came += Buffer.from(chunk).toString()
    }
    await assert.rejects(readAll(), (thrown) => hasCode(thrown, 'STORAGE_THROTTLED'))
    assert.equal(came, 'con')
  })

  it('damage what is read, wherever a range begins, and leave the object whole', async () => {
    const memory = new MemoryStorage()
    await memory.put('a', Buffer.from('0123456789'))
    await memory.put('b', Buffer.from('0123456789'))
    const storage = new FaultStorage(memory, { damage: [{ key: 'a', flipAt: 4, cutAt: 8 }] })
    const part = async (offset: number, length?: number) =>
      Buffer.from(await collectBytes(storage.get('a', { offset, length }))).toString()
    assert.equal(await part(0), '01235567')
    assert.equal(await part(4, 1), '5')
    assert.equal(await part(5), '567')
    assert.equal(await part(-2), '67')
    assert.equal(await part(8), '')
    assert.equal(await text(storage, 'b'), '0123456789')
    assert.equal(await text(memory, 'a'), '0123456789')
  })

  it('let listings lag behind for so many operations', async () => {
    const storage = new FaultStorage(new MemoryStorage(), { listLag: 2 })
    assert.equal(storage.capabilities.consistentList, false)
    await storage.put('a', Buffer.from('1'))
    assert.deepEqual(await listKeys(storage), [])
    await storage.head('a')
    assert.deepEqual(await listKeys(storage), ['a'])
    await storage.put('b', Buffer.from('1'))
    await storage.delete('a')
    assert.deepEqual(await listKeys(storage), ['a'])
    assert.deepEqual(await listKeys(storage), ['a', 'b'])
    assert.deepEqual(await listKeys(storage), ['b'])
  })

  it('delay operations by the planned latency', async () => {
    const waits: number[] = []
    const storage = new FaultStorage(new MemoryStorage(), {
      latencyMs: ({ name }) => (name === 'put' ? 50 : 0),
      sleep: async (milliseconds) => void waits.push(milliseconds),
    })
    await storage.put('a', Buffer.from('1'))
    await storage.head('a')
    await storage.put('a', Buffer.from('2'))
    assert.deepEqual(waits, [50, 50])
  })
})
