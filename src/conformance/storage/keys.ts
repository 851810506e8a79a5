import assert from 'node:assert/strict'
import { listKeys, read, rejectsWith, type StorageCase } from './storage-case.ts'

const illegal = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  './a',
  '../a',
  'a/..',
  'a/../b',
  'a/./b',
  'a b',
  'a\\b',
  'a:b',
  'a%41',
  'a~',
  'a@b',
  'a\0b',
  'a\nb',
  'ä',
  '\u{1f600}',
  'a'.repeat(256),
  `${'abc/'.repeat(256)}a`,
]

export const keyCases: readonly StorageCase[] = [
  {
    name: 'takes every legal key, however odd',
    needs: 'consistentList',
    run: async ({ storage, other, prefix }) => {
      const filler = 'long/'.repeat(300).slice(0, 1024 - prefix.length - 1)
      const ends = [
        '.hidden',
        '.tmp-1',
        '.tmp',
        '.lock',
        '...',
        '..a',
        'a..',
        '-',
        '--help',
        '_',
        '=',
        '+',
        'a+b=c',
        '0',
        '1e3',
        'con',
        'a.',
        'x'.repeat(255),
      ]
      const keys = [
        ...ends.flatMap((end) => [`${prefix}${end}`, `${prefix}in-${end.slice(0, 200)}/${end}`]),
        `${prefix}${filler}z`,
      ]
      for (const key of keys) await storage.put(key, Buffer.from(key))
      for (const key of keys) assert.equal((await read(other, key)).toString(), key)
      assert.deepEqual(await listKeys(other, prefix), keys.toSorted())
      for (const key of keys) await other.delete(key)
      assert.deepEqual(await listKeys(storage, prefix), [])
    },
  },
  {
    name: 'tells keys apart that differ in case only',
    run: async ({ storage, prefix }) => {
      const keys = ['case', 'Case', 'CASE', 'folder/x', 'Folder/x'].map((end) => prefix + end)
      for (const key of keys) await storage.put(key, Buffer.from(key))
      for (const key of keys) assert.equal((await read(storage, key)).toString(), key)
    },
  },
  {
    name: 'refuses every illegal key, in every operation',
    run: async ({ storage }) => {
      for (const key of illegal) {
        await rejectsWith(storage.put(key, Uint8Array.of(1)), 'USAGE')
        await rejectsWith(read(storage, key), 'USAGE')
        await rejectsWith(storage.head(key), 'USAGE')
        await rejectsWith(storage.delete(key), 'USAGE')
      }
    },
  },
  {
    name: 'refuses to list a prefix that no key can begin with',
    run: async ({ storage }) => {
      for (const prefix of ['/', '../', 'a/../', 'a//', './', 'a b', 'ä', 'a\0'])
        await rejectsWith(listKeys(storage, prefix), 'USAGE')
    },
  },
]
