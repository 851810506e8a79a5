import assert from 'node:assert/strict'
import { listAll, listKeys, type StorageCase } from './storage-case.ts'

export const listingCases: readonly StorageCase[] = [
  {
    name: 'lists nothing where there is nothing',
    needs: 'consistentList',
    run: async ({ storage, prefix }) => {
      assert.deepEqual(await listKeys(storage, prefix), [])
      assert.deepEqual(await listKeys(storage, `${prefix}deeper/still`), [])
    },
  },
  {
    name: 'lists in ascending order of the bytes of the whole keys',
    needs: 'consistentList',
    run: async ({ storage, prefix }) => {
      // In ASCII: + - . / 0 = A _ a, so a folder's content stands between "a-b" and "a0".
      const ends = [
        'a/b',
        'a-b',
        'a.b',
        'a+b',
        'a0',
        'a=',
        'aA',
        'a_',
        'aa',
        'a/b-c/d',
        'a/b.c',
        'a/B',
        'a-b2/c',
        'Z',
        '0',
        '10',
        '9',
        'a-/x',
      ]
      const keys = ends.map((end) => prefix + end)
      for (const key of keys) await storage.put(key, Buffer.from(key))
      const inOrder = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      assert.deepEqual(await listKeys(storage, prefix), inOrder)
    },
  },
  {
    name: 'takes the prefix as plain text, not as a folder',
    needs: 'consistentList',
    run: async ({ storage, prefix }) => {
      const ends = ['app/x', 'app-2/x', 'apple/x', 'ap', 'b/app/x', 'App/x']
      for (const end of ends) await storage.put(prefix + end, Uint8Array.of(1))
      const listed = async (end: string) =>
        (await listKeys(storage, prefix + end)).map((key) => key.slice(prefix.length))
      assert.deepEqual(await listed('app'), ['app-2/x', 'app/x', 'apple/x'])
      assert.deepEqual(await listed('app/'), ['app/x'])
      assert.deepEqual(await listed('app/x'), ['app/x'])
      assert.deepEqual(await listed('app/x/'), [])
      assert.deepEqual(await listed('ap'), ['ap', 'app-2/x', 'app/x', 'apple/x'])
      assert.deepEqual(await listed('app-2/x1'), [])
      const whole = await listKeys(storage, prefix.slice(0, -1))
      assert.deepEqual(whole, await listKeys(storage, prefix))
      assert.equal(whole.length, ends.length)
    },
  },
  {
    name: 'shows puts and deletes at once, to every opening',
    needs: 'consistentList',
    run: async ({ storage, other, prefix }) => {
      for (let round = 0; round < 10; round++) {
        await storage.put(`${prefix}object-${round}`, Buffer.alloc(round))
        assert.equal((await listAll(other, prefix)).at(-1)?.size, round)
      }
      for (let round = 9; round >= 0; round--) {
        await other.delete(`${prefix}object-${round}`)
        assert.equal((await listKeys(storage, prefix)).length, round)
      }
    },
  },
  {
    name: 'lists more than a thousand objects, while they are deleted, each once',
    needs: 'consistentList',
    run: async ({ storage, other, prefix }) => {
      const keys = Array.from({ length: 1003 }, (_, index) => `${prefix}many/object-${String(index).padStart(4, '0')}`)
      const waiting = keys.values()
      const worker = async () => {
        for (const key of waiting) await storage.put(key, Buffer.from(key))
      }
      await Promise.all(Array.from({ length: 16 }, worker))
      assert.deepEqual(await listKeys(storage, prefix), keys)
      const seen: string[] = []
      for await (const { key } of storage.list(`${prefix}many/`)) {
        seen.push(key)
        await other.delete(key)
      }
      assert.deepEqual(seen, keys)
      assert.deepEqual(await listKeys(storage, prefix), [])
    },
  },
  {
    name: 'lets a listing end early',
    needs: 'consistentList',
    run: async ({ storage, prefix }) => {
      for (const end of ['a', 'b', 'c']) await storage.put(prefix + end, Uint8Array.of(1))
      for await (const { key } of storage.list(prefix)) {
        assert.equal(key, `${prefix}a`)
        break
      }
      assert.equal((await listKeys(storage, prefix)).length, 3)
    },
  },
]
