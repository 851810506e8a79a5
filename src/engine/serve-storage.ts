import type { BackupStorage, ObjectInfo } from '../storage/storage.ts'
import type { CallContext } from './incoming-call.ts'
import type { Handlers } from './peer.ts'
import {
  chunk,
  getInput,
  keyInput,
  listBatch,
  listInput,
  maximumChunk,
  putInput,
  storageMethods,
} from './storage-protocol.ts'

/** Lets an engine use a storage of this process; see {@link remoteStorage} for its side. */
export function serveStorage(storage: BackupStorage): Handlers {
  return {
    [storageMethods.describe]: async () => ({ url: storage.url, capabilities: { ...storage.capabilities } }),

    [storageMethods.put]: async (input, { body, signal }) => {
      const { key, bytes, ...conditions } = putInput.parse(input)
      return factsOf(await storage.put(key, bytes ?? chunks(body), { ...conditions, signal }))
    },

    [storageMethods.get]: async (input, { output, signal }) => {
      const { key, ...range } = getInput.parse(input)
      for await (const bytes of storage.get(key, { ...range, signal })) {
        for (const piece of pieces(bytes)) await output(piece)
      }
    },

    [storageMethods.head]: async (input, { signal }) => {
      const info = await storage.head(keyInput.parse(input).key, { signal })
      return info === undefined ? undefined : factsOf(info)
    },

    [storageMethods.list]: async (input, context) => await list(storage, listInput.parse(input).prefix, context),

    [storageMethods.delete]: async (input, { signal }) => await storage.delete(keyInput.parse(input).key, { signal }),
  }
}

export function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += maximumChunk) yield bytes.subarray(start, start + maximumChunk)
}

async function* chunks(body: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const item of body) yield chunk.parse(item)
}

async function list(storage: BackupStorage, prefix: string, { output, signal }: CallContext): Promise<void> {
  let batch: ObjectInfo[] = []
  for await (const info of storage.list(prefix, { signal })) {
    batch.push(factsOf(info))
    if (batch.length < listBatch) continue
    await output(batch)
    batch = []
  }
  if (batch.length > 0) await output(batch)
}

/** A storage may hand out more than the contract says, also what cannot be copied. */
function factsOf({ key, size, etag, modifiedAt }: ObjectInfo): ObjectInfo {
  return { key, size, etag, modifiedAt }
}
