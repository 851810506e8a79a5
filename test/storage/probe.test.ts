import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { probeStorage } from '../../src/storage/probe.ts'
import type { BackupStorage, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const everything = { conditionalCreate: true, conditionalReplace: true, consistentList: true }

/** A storage that claims every capability and takes no notice of conditions, as some object storages do. */
class IgnoresConditions extends MemoryStorage {
  override async put(key: string, body: PutBody, _options?: PutOptions) {
    return await super.put(key, body)
  }
}

/** Checks first and writes later. */
class RacesItself extends MemoryStorage {
  override async put(key: string, body: PutBody, { ifAbsent, ifMatch }: PutOptions = {}) {
    const current = await super.head(key)
    if (ifAbsent === true && current !== undefined) return await super.put(key, body, { ifAbsent })
    if (ifMatch !== undefined && current?.etag !== ifMatch) return await super.put(key, body, { ifMatch })
    await new Promise(setImmediate)
    return await super.put(key, body)
  }
}

const count = async (storage: BackupStorage) => {
  let objects = 0
  for await (const _ of storage.list('')) objects++
  return objects
}

describe('the probe of a storage', () => {
  it('finds everything in a local folder, and leaves no object and no folder there', async () => {
    using folder = temporaryFolder()
    assert.deepEqual(await probeStorage(new LocalStorage(folder.path)), everything)
    assert.deepEqual(readdirSync(folder.path), ['.lock@holdfast'])
  })

  it('sees through a storage that ignores conditions', async () => {
    const storage = new IgnoresConditions()
    assert.deepEqual(await probeStorage(storage), {
      ...everything,
      conditionalCreate: false,
      conditionalReplace: false,
    })
    assert.equal(await count(storage), 0)
  })

  it('sees through a storage that checks first and writes later', async () => {
    assert.deepEqual(await probeStorage(new RacesItself()), {
      ...everything,
      conditionalCreate: false,
      conditionalReplace: false,
    })
  })

  it('sees that listings lag', async () => {
    const storage = new FaultStorage(new MemoryStorage(), { listLag: 3 })
    assert.deepEqual(await probeStorage(storage), { ...everything, consistentList: false })
  })

  it('refuses a storage that returns other bytes', async () => {
    const random = (size: number) => new Uint8Array(size).fill(7)
    for (const damage of [{ flipAt: 0 }, { cutAt: 999 }, { flipAt: 995 }]) {
      const memory = new MemoryStorage()
      const storage = new FaultStorage(memory, { damage: [{ key: 'probe-0707070707070707-basic', ...damage }] })
      await assert.rejects(probeStorage(storage, random), (thrown) => hasCode(thrown, 'STORAGE_CORRUPT'))
      assert.equal(await count(memory), 0)
    }
  })

  it('tells of any operation that fails, and cleans up where that is still possible', async () => {
    for (let failAt = 0, tripped = true; tripped; failAt++) {
      const memory = new MemoryStorage()
      const storage = new FaultStorage(memory, { failAt, moment: 'after', code: 'STORAGE_DENIED' })
      const error: unknown = await probeStorage(storage).catch((thrown: unknown) => thrown)
      tripped = storage.tripped
      assert.equal(hasCode(error, 'STORAGE_DENIED'), tripped, `operation ${failAt}`)
      if (!tripped) assert.ok(failAt > 30)
    }
  })
})
