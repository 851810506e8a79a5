import assert from 'node:assert/strict'
import { assertSameBytes, patternBytes, read, type StorageCase } from './storage-case.ts'

const large = 1 << 20

export const replacementCases: readonly StorageCase[] = [
  {
    name: 'replaces an object, by a longer and by a shorter one',
    run: async ({ storage, other, prefix }) => {
      for (const text of ['first', 'the second, which is longer', '3']) {
        await storage.put(`${prefix}object`, Buffer.from(text))
        assert.equal((await read(other, `${prefix}object`)).toString(), text)
        assert.equal((await other.head(`${prefix}object`))?.size, text.length)
      }
    },
  },
  {
    name: 'gives every version its own etag, also with the same bytes and after a delete',
    run: async ({ storage, prefix }) => {
      const etags: string[] = []
      for (let round = 0; round < 30; round++) {
        etags.push((await storage.put(`${prefix}object`, Buffer.from('same'))).etag)
        assert.equal((await storage.head(`${prefix}object`))?.etag, etags.at(-1))
        if (round % 3 === 0) await storage.delete(`${prefix}object`)
      }
      assert.equal(new Set(etags).size, etags.length)
    },
  },
  {
    name: 'shows a reader the former object or the new one, never a mixture or nothing',
    run: async ({ storage, other, prefix }) => {
      const key = `${prefix}object`
      await storage.put(key, Buffer.alloc(large, 0))
      let writing = true
      const writer = async () => {
        for (let version = 1; version <= 12; version++) await storage.put(key, slowFill(version))
        writing = false
      }
      const reader = async () => {
        let newest = 0
        while (writing) {
          const bytes = await read(other, key)
          const version = bytes[0] ?? -1
          assertSameBytes(bytes, Buffer.alloc(large, version))
          assert.ok(version >= newest, `version ${version} was seen after ${newest}`)
          newest = version
          await new Promise(setImmediate)
        }
      }
      await Promise.all([writer(), reader(), reader()])
      assert.equal((await read(other, key))[0], 12)
    },
  },
  {
    name: 'keeps two objects apart that are written at the same time',
    run: async ({ storage, other, prefix }) => {
      const bodies = Array.from({ length: 8 }, (_, index) => patternBytes(600_000, index + 1))
      await Promise.all(
        bodies.map((bytes, index) => (index % 2 === 0 ? storage : other).put(`${prefix}object-${index}`, bytes)),
      )
      for (const [index, bytes] of bodies.entries())
        assertSameBytes(await read(storage, `${prefix}object-${index}`), bytes)
    },
  },
]

async function* slowFill(value: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < large; at += large / 8) {
    yield Buffer.alloc(large / 8, value)
    await new Promise(setImmediate)
  }
}
