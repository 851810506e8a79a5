import assert from 'node:assert/strict'
import type { GetOptions } from '../../storage/storage.ts'
import { assertSameBytes, patternBytes, read, rejectsWith, type StorageCase } from './storage-case.ts'

const size = 1_500_000

/** What is asked for, and where in the object that begins and ends. */
const ranges: readonly (readonly [options: GetOptions, start: number, end: number])[] = [
  [{}, 0, size],
  [{ offset: 0, length: 1 }, 0, 1],
  [{ offset: 1, length: 10 }, 1, 11],
  [{ offset: 262_143, length: 2 }, 262_143, 262_145],
  [{ offset: 700_001 }, 700_001, size],
  [{ length: 1_000_000 }, 0, 1_000_000],
  [{ offset: size - 1 }, size - 1, size],
  [{ offset: size - 1, length: 1000 }, size - 1, size],
  [{ offset: 3, length: Number.MAX_SAFE_INTEGER }, 3, size],
  [{ offset: 5, length: 0 }, 5, 5],
  [{ offset: size }, size, size],
  [{ offset: size + 1, length: 5 }, size, size],
  [{ offset: -1 }, size - 1, size],
  [{ offset: -1_000_000 }, 500_000, size],
  [{ offset: -100, length: 10 }, size - 100, size - 90],
  [{ offset: -100, length: 1000 }, size - 100, size],
  [{ offset: -size }, 0, size],
  [{ offset: -size - 1 }, 0, size],
  [{ offset: -size - 50, length: 10 }, 0, 10],
]

export const rangeCases: readonly StorageCase[] = [
  {
    name: 'reads any range, cut at the end, also counted from the end',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(size)
      await storage.put(`${prefix}object`, bytes)
      for (const [options, start, end] of ranges) {
        const part = await read(storage, `${prefix}object`, options)
        assert.equal(part.length, end - start, `length of ${JSON.stringify(options)}`)
        assertSameBytes(part, bytes.subarray(start, end))
      }
    },
  },
  {
    name: 'reads the same bytes in transient chunks',
    run: async ({ storage, prefix }) => {
      const bytes = patternBytes(size)
      await storage.put(`${prefix}object`, bytes)
      for (const [options, start, end] of ranges) {
        const part: Uint8Array[] = []
        for await (const chunk of storage.get(`${prefix}object`, { ...options, transient: true }))
          part.push(Uint8Array.from(chunk))
        assertSameBytes(Buffer.concat(part), bytes.subarray(start, end))
      }
    },
  },
  {
    name: 'reads any range of an object of no bytes as empty',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}empty`, new Uint8Array(0))
      for (const options of [{}, { offset: 0, length: 5 }, { offset: 7 }, { offset: -7 }, { offset: -7, length: 3 }]) {
        assert.equal((await read(storage, `${prefix}empty`, options)).length, 0, JSON.stringify(options))
      }
    },
  },
  {
    name: 'says OBJECT_NOT_FOUND for a range of nothing',
    run: async ({ storage, prefix }) => {
      for (const options of [{ offset: 5, length: 5 }, { offset: -5 }, { length: 0 }]) {
        await rejectsWith(read(storage, `${prefix}none`, options), 'OBJECT_NOT_FOUND')
      }
    },
  },
  {
    name: 'refuses a range that makes no sense',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}object`, Uint8Array.of(1, 2, 3))
      for (const options of [
        { offset: 0.5 },
        { offset: Number.NaN },
        { length: -1 },
        { length: Number.POSITIVE_INFINITY },
      ]) {
        await rejectsWith(read(storage, `${prefix}object`, options), 'USAGE')
      }
    },
  },
]
