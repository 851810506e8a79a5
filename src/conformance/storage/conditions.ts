import assert from 'node:assert/strict'
import { hasCode } from '../../errors.ts'
import type { BackupStorage, PutOptions } from '../../storage/storage.ts'
import { lendingStream, patternBytes, read, rejectsWith, type StorageCase, type TestPlace } from './storage-case.ts'

const writers = 12
/** A refusal means that another writer came first: far fewer do for the few there are. */
const mostAttempts = 1_000

export const conditionCases: readonly StorageCase[] = [
  {
    name: 'ifAbsent creates an object and refuses where there is one',
    needs: 'conditionalCreate',
    run: async ({ storage, other, prefix }) => {
      const { etag } = await storage.put(`${prefix}object`, Buffer.from('first'), { ifAbsent: true })
      for (const body of [Buffer.from('second'), lendingStream(Buffer.from('second'), [3])]) {
        await rejectsWith(other.put(`${prefix}object`, body, { ifAbsent: true }), 'OBJECT_EXISTS')
      }
      assert.equal((await read(storage, `${prefix}object`)).toString(), 'first')
      assert.equal((await storage.head(`${prefix}object`))?.etag, etag)
      await storage.delete(`${prefix}object`)
      await other.put(`${prefix}object`, Buffer.from('third'), { ifAbsent: true })
      assert.equal((await read(storage, `${prefix}object`)).toString(), 'third')
    },
  },
  {
    name: `of ${writers} writers with ifAbsent at the same time exactly one wins`,
    needs: 'conditionalCreate',
    run: async (place) => {
      for (let round = 0; round < 5; round++)
        await oneWins(place, `${place.prefix}object-${round}`, { ifAbsent: true }, 'OBJECT_EXISTS')
    },
  },
  {
    name: 'ifMatch replaces the version it names and refuses any other',
    needs: 'conditionalReplace',
    run: async ({ storage, other, prefix }) => {
      const key = `${prefix}object`
      const first = await storage.put(key, Buffer.from('first'))
      const second = await other.put(key, Buffer.from('second'), { ifMatch: first.etag })
      assert.notEqual(second.etag, first.etag)
      await rejectsWith(storage.put(key, Buffer.from('stale'), { ifMatch: first.etag }), 'OBJECT_CHANGED')
      await rejectsWith(
        storage.put(key, lendingStream(Buffer.from('stale'), [2]), { ifMatch: first.etag }),
        'OBJECT_CHANGED',
      )
      assert.equal((await read(storage, key)).toString(), 'second')
      await storage.put(key, Buffer.from('third'), { ifMatch: (await other.head(key))?.etag })
      assert.equal((await read(other, key)).toString(), 'third')
    },
  },
  {
    name: 'ifMatch refuses where there is no object',
    needs: 'conditionalReplace',
    run: async ({ storage, prefix }) => {
      const key = `${prefix}object`
      const { etag } = await storage.put(key, Buffer.from('first'))
      await storage.delete(key)
      await rejectsWith(storage.put(key, Buffer.from('second'), { ifMatch: etag }), 'OBJECT_CHANGED')
      assert.equal(await storage.head(key), undefined)
      await storage.put(key, Buffer.from('first'))
      await rejectsWith(storage.put(key, Buffer.from('second'), { ifMatch: etag }), 'OBJECT_CHANGED')
    },
  },
  {
    name: `of ${writers} writers with the same ifMatch at the same time exactly one wins`,
    needs: 'conditionalReplace',
    run: async (place) => {
      for (let round = 0; round < 5; round++) {
        const { etag } = await place.storage.put(`${place.prefix}object`, Buffer.from('before'))
        await oneWins(place, `${place.prefix}object`, { ifMatch: etag }, 'OBJECT_CHANGED')
      }
    },
  },
  {
    name: 'no increment is lost between writers that read, add one and put with ifMatch',
    needs: 'conditionalReplace',
    run: async ({ storage, other, prefix }) => {
      const key = `${prefix}counter`
      await storage.put(key, Buffer.from('0'))
      await Promise.all([storage, other, storage, other].map((one) => addTimes(one, key, 5)))
      assert.equal((await read(storage, key)).toString(), '20')
    },
  },
  {
    name: 'refuses ifAbsent together with ifMatch',
    run: async ({ storage, prefix }) => {
      await rejectsWith(storage.put(`${prefix}object`, Uint8Array.of(1), { ifAbsent: true, ifMatch: 'x' }), 'USAGE')
      assert.equal(await storage.head(`${prefix}object`), undefined)
    },
  },
]

async function oneWins(
  { storage, other }: TestPlace,
  key: string,
  condition: PutOptions,
  refusal: 'OBJECT_EXISTS' | 'OBJECT_CHANGED',
): Promise<void> {
  const bodies = Array.from({ length: writers }, (_, index) => patternBytes(20_000 + index, index + 1))
  const outcomes = await Promise.allSettled(
    bodies.map((body, index) => (index % 2 === 0 ? storage : other).put(key, body, condition)),
  )
  const winners = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []))
  assert.equal(winners.length, 1, `${winners.length} writers won`)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.ok(hasCode(outcome.reason, refusal), `${refusal}, not ${outcome.reason}`)
  }
  const winner = winners[0] ?? 0
  assert.deepEqual(await read(storage, key), bodies[winner])
}

async function addTimes(storage: BackupStorage, key: string, times: number): Promise<void> {
  let done = 0
  for (let attempt = 0; done < times; attempt++) {
    assert.ok(attempt < mostAttempts, 'ifMatch refuses again and again the version that head has just told')
    const before = await storage.head(key)
    const value = Number((await read(storage, key)).toString())
    try {
      await storage.put(key, Buffer.from(String(value + 1)), { ifMatch: before?.etag ?? 'none' })
      done++
    } catch (thrown) {
      if (!hasCode(thrown, 'OBJECT_CHANGED')) throw thrown
    }
  }
}
