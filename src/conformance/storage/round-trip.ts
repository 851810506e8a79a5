import assert from 'node:assert/strict'
import {
  assertSameBytes,
  collect,
  lendingStream,
  listAll,
  patternBytes,
  read,
  rejectsWith,
  type StorageCase,
} from './storage-case.ts'

export const roundTripCases: readonly StorageCase[] = [
  {
    name: 'keeps an object of no bytes',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}empty`, new Uint8Array(0))
      assert.equal((await read(storage, `${prefix}empty`)).length, 0)
      assert.equal((await storage.head(`${prefix}empty`))?.size, 0)
      await storage.put(`${prefix}empty-stream`, lendingStream(new Uint8Array(0), [1]))
      assert.equal((await storage.head(`${prefix}empty-stream`))?.size, 0)
    },
  },
  {
    name: 'keeps an object of one byte',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}one`, Uint8Array.of(0xff))
      assert.deepEqual([...(await read(storage, `${prefix}one`))], [0xff])
    },
  },
  {
    name: 'keeps 5 MiB given as bytes',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(5 << 20)
      await storage.put(`${prefix}bytes`, bytes)
      assertSameBytes(await read(storage, `${prefix}bytes`), bytes)
    },
  },
  {
    name: 'keeps 5 MiB streamed in odd chunks that are reused after each',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(5 << 20)
      const info = await storage.put(`${prefix}stream`, lendingStream(bytes, [1, 70_001, 3, 1_200_007, 65_536, 511]))
      assert.equal(info.size, bytes.length)
      assertSameBytes(await read(storage, `${prefix}stream`), bytes)
    },
  },
  {
    name: 'put, head and list tell the same facts',
    run: async ({ storage, prefix }) => {
      const put = await storage.put(`${prefix}facts`, Buffer.from('facts'))
      assert.equal(put.key, `${prefix}facts`)
      assert.equal(put.size, 5)
      assert.notEqual(put.etag, '')
      assert.ok(Number.isSafeInteger(put.modifiedAt), 'modifiedAt is in whole milliseconds')
      assert.ok(put.modifiedAt > Date.UTC(2020, 0), 'modifiedAt counts from 1970')
      const { key, size, etag } = put
      const others = [await storage.head(`${prefix}facts`), (await listAll(storage, `${prefix}facts`))[0]]
      for (const other of others)
        assert.deepEqual({ key: other?.key, size: other?.size, etag: other?.etag }, { key, size, etag })
    },
  },
  {
    name: 'shows an object to another opening of the storage',
    run: async ({ storage, other, prefix }) => {
      const { etag } = await storage.put(`${prefix}shared`, Buffer.from('shared'))
      assert.equal((await read(other, `${prefix}shared`)).toString(), 'shared')
      assert.equal((await other.head(`${prefix}shared`))?.etag, etag)
    },
  },
  {
    name: 'returns chunks that the reader may keep and change',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(3 << 20)
      await storage.put(`${prefix}kept`, bytes)
      const chunks = await collect(storage.get(`${prefix}kept`))
      assertSameBytes(Buffer.concat(chunks), bytes)
      for (const chunk of chunks) chunk.fill(0)
      assertSameBytes(await read(storage, `${prefix}kept`), bytes)
    },
  },
  {
    name: 'lets a reader stop early, and start over',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(3 << 20)
      await storage.put(`${prefix}partly`, bytes)
      for (let round = 0; round < 20; round++) {
        for await (const chunk of storage.get(`${prefix}partly`)) {
          assertSameBytes(chunk, bytes.subarray(0, chunk.length))
          break
        }
      }
      assertSameBytes(await read(storage, `${prefix}partly`), bytes)
    },
  },
  {
    name: 'says OBJECT_NOT_FOUND for a get of nothing, undefined for a head',
    run: async ({ storage, prefix }) => {
      await rejectsWith(read(storage, `${prefix}none`), 'OBJECT_NOT_FOUND')
      assert.equal(await storage.head(`${prefix}none`), undefined)
      await storage.put(`${prefix}folder/object`, Uint8Array.of(1))
      await rejectsWith(read(storage, `${prefix}folder`), 'OBJECT_NOT_FOUND')
      assert.equal(await storage.head(`${prefix}folder`), undefined)
      assert.equal(await storage.head(`${prefix}folder/object/below`), undefined)
    },
  },
  {
    name: 'deletes, and deletes again without an error',
    run: async ({ storage, other, prefix }) => {
      await storage.put(`${prefix}gone`, Uint8Array.of(1))
      await storage.put(`${prefix}gone-not`, Uint8Array.of(2))
      await storage.delete(`${prefix}gone`)
      await storage.delete(`${prefix}gone`)
      await storage.delete(`${prefix}never/was/there`)
      assert.equal(await other.head(`${prefix}gone`), undefined)
      await rejectsWith(read(storage, `${prefix}gone`), 'OBJECT_NOT_FOUND')
      assert.deepEqual([...(await read(storage, `${prefix}gone-not`))], [2])
      await storage.put(`${prefix}gone`, Uint8Array.of(3))
      assert.deepEqual([...(await read(storage, `${prefix}gone`))], [3])
    },
  },
]
