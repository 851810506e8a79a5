import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ObserveStorage, type StorageTraffic } from '../../src/storage/observe/observe-storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'

it('an observed storage tells of every piece sent and received', async () => {
  const traffic: StorageTraffic[] = []
  const storage = new ObserveStorage(new MemoryStorage(), (one) => traffic.push(one))
  async function* stream() {
    yield Buffer.alloc(3)
    yield Buffer.alloc(4)
  }
  await storage.put('a', stream())
  await storage.put('b', Buffer.alloc(5))
  await collectBytes(storage.get('a', { offset: 1 }))
  assert.deepEqual(traffic, [
    { direction: 'sent', key: 'a', bytes: 3 },
    { direction: 'sent', key: 'a', bytes: 4 },
    { direction: 'sent', key: 'b', bytes: 5 },
    { direction: 'received', key: 'a', bytes: 6 },
  ])
})

it('an observed storage does not count bytes whose put failed', async () => {
  const traffic: StorageTraffic[] = []
  const failing = new FaultStorage(new MemoryStorage(), { failAt: 0 })
  const storage = new ObserveStorage(failing, (one) => traffic.push(one))
  await assert.rejects(storage.put('a', Buffer.alloc(5)))
  assert.deepEqual(traffic, [])
})
