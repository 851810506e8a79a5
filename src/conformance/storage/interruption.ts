import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BackupStorage } from '../../storage/storage.ts'
import { collect, listKeys, patternBytes, read, rejectsWith, type StorageCase } from './storage-case.ts'

const chunkSize = 1 << 20

export const interruptionCases: readonly StorageCase[] = [
  {
    name: 'a stream that throws leaves nothing behind, and its error comes out',
    run: async ({ storage, prefix }) => {
      for (const chunksBefore of [0, 1, 9]) {
        const failure = new Error(`failed after ${chunksBefore} chunks`)
        await assert.rejects(storage.put(`${prefix}object`, failingStream(chunksBefore, failure)), isOrWraps(failure))
        await assertNothing(storage, prefix)
      }
    },
  },
  {
    name: 'a stream that throws leaves the former object as it was',
    run: async ({ storage, prefix }) => {
      const former = await storage.put(`${prefix}object`, Buffer.from('former'))
      const failure = new Error('failed')
      await assert.rejects(storage.put(`${prefix}object`, failingStream(3, failure)), isOrWraps(failure))
      assert.equal((await read(storage, `${prefix}object`)).toString(), 'former')
      assert.equal((await storage.head(`${prefix}object`))?.etag, former.etag)
    },
  },
  {
    name: 'a put that is aborted midway leaves nothing behind',
    run: async ({ storage, prefix }) => {
      const controller = new AbortController()
      const body = endlessStream((chunks) => {
        if (chunks === 5) controller.abort()
      })
      await rejectsWith(storage.put(`${prefix}object`, body, { signal: controller.signal }), 'ABORTED')
      await assertNothing(storage, prefix)
    },
  },
  {
    name: 'an abort ends a put whose stream hangs',
    run: async ({ storage, prefix }) => {
      const controller = new AbortController()
      const body = hangingStream(() => setImmediate(() => controller.abort()))
      await rejectsWith(storage.put(`${prefix}object`, body, { signal: controller.signal }), 'ABORTED')
      await assertNothing(storage, prefix)
    },
  },
  {
    name: 'a signal that has fired stops every operation before it begins',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}object`, Buffer.from('former'))
      const options = { signal: AbortSignal.abort() }
      await rejectsWith(storage.put(`${prefix}object`, Uint8Array.of(1), options), 'ABORTED')
      await rejectsWith(storage.put(`${prefix}other`, endlessStream(), options), 'ABORTED')
      await rejectsWith(read(storage, `${prefix}object`, options), 'ABORTED')
      await rejectsWith(storage.head(`${prefix}object`, options), 'ABORTED')
      await rejectsWith(collect(storage.list(prefix, options)), 'ABORTED')
      await rejectsWith(storage.delete(`${prefix}object`, options), 'ABORTED')
      assert.equal((await read(storage, `${prefix}object`)).toString(), 'former')
      assert.equal(await storage.head(`${prefix}other`), undefined)
    },
  },
  {
    name: 'an abort ends a get and a listing between two pieces',
    run: async ({ storage, prefix }) => {
      await storage.put(`${prefix}large`, patternBytes(8 << 20))
      await storage.put(`${prefix}small`, Uint8Array.of(1))
      const reading = new AbortController()
      const readSome = async () => {
        for await (const _ of storage.get(`${prefix}large`, { signal: reading.signal })) reading.abort()
      }
      await rejectsWith(readSome(), 'ABORTED')
      const listing = new AbortController()
      const listSome = async () => {
        for await (const _ of storage.list(prefix, { signal: listing.signal })) listing.abort()
      }
      await rejectsWith(listSome(), 'ABORTED')
    },
  },
  {
    name: 'a failed put does not keep the next one from succeeding',
    run: async ({ storage, prefix }) => {
      const failing = Promise.allSettled(
        [1, 2, 3, 4].map((chunks) => storage.put(`${prefix}object`, failingStream(chunks, new Error('failed')))),
      )
      await storage.put(`${prefix}object`, Buffer.from('good'))
      for (const outcome of await failing) assert.equal(outcome.status, 'rejected')
      assert.equal((await read(storage, `${prefix}object`)).toString(), 'good')
    },
  },
  {
    name: 'asks a stream for one chunk at a time',
    run: async ({ storage, prefix }) => {
      const { stream, size } = watchedStream(16, () => {})
      assert.equal((await storage.put(`${prefix}large`, stream)).size, size)
    },
  },
]

/** Not for storages that keep what they store in the memory of this process. */
export const memoryCases: readonly StorageCase[] = [
  {
    name: 'holds little of a large stream in memory',
    run: async ({ storage, prefix }) => {
      const before = heldBytes()
      let most = 0
      const { stream, size } = watchedStream(128, () => {
        most = Math.max(most, heldBytes() - before)
      })
      assert.equal((await storage.put(`${prefix}large`, stream)).size, size)
      assert.ok(most < size / 2, `${most >> 20} MiB of ${size >> 20} were held in memory`)
    },
  },
]

/** Memory of buffers; it lies outside of the heap. */
function heldBytes(): number {
  return process.memoryUsage().arrayBuffers
}

/** A stream that gives the same chunk again and again, and fails if it is asked for one before the last has come. */
function watchedStream(chunks: number, onNext: () => void): { stream: AsyncIterable<Uint8Array>; size: number } {
  const chunk = patternBytes(chunkSize)
  let asked = 0
  let given = 0
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    asked++
    assert.equal(asked, 1, 'the next chunk was asked for before the last had come')
    onNext()
    await new Promise(setImmediate)
    asked--
    return given++ < chunks ? { done: false, value: chunk } : { done: true, value: undefined }
  }
  return { stream: { [Symbol.asyncIterator]: () => ({ next }) }, size: chunks * chunkSize }
}

async function assertNothing(storage: BackupStorage, prefix: string): Promise<void> {
  assert.equal(await storage.head(`${prefix}object`), undefined)
  assert.deepEqual(await listKeys(storage, prefix), [])
}

function isOrWraps(failure: Error): (thrown: unknown) => boolean {
  return (thrown) => thrown === failure || (thrown instanceof Error && thrown.cause === failure)
}

async function* failingStream(chunks: number, failure: Error): AsyncGenerator<Uint8Array, void, undefined> {
  for (let done = 0; done < chunks; done++) yield patternBytes(chunkSize, done + 1)
  throw failure
}

/** So much later than it is aborted, at the latest, a put of a stream must have ended. */
const mostChunks = 64
const longestMs = 5_000

/** Endless for who heeds the abort; who does not is told so before it has taken all memory. Tells how many chunks it has given before each. */
async function* endlessStream(given?: (chunks: number) => void): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = patternBytes(chunkSize)
  for (let chunks = 0; chunks < mostChunks; chunks++) {
    given?.(chunks)
    yield chunk
  }
  throw new Error('The put read on after it was aborted.')
}

async function* hangingStream(hangs: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  yield patternBytes(1000)
  hangs()
  await sleep(longestMs, undefined, { ref: false })
  throw new Error('The put waited for its stream after it was aborted.')
}
