import { checkRange } from '../storage/range.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from '../storage/storage.ts'
import { throwIfAborted } from '../util/abort.ts'
import type { Peer } from './peer.ts'
import { pieces } from './serve-storage.ts'
import { chunk, objectInfo, objectInfos, storageDescription, storageMethods } from './storage-protocol.ts'

/** The storage that the other process serves with {@link serveStorage}. */
export async function remoteStorage(peer: Peer, { signal }: OperationOptions = {}): Promise<BackupStorage> {
  const { url, capabilities } = storageDescription.parse(
    await peer.call(storageMethods.describe, undefined, { signal }),
  )
  return new RemoteStorage(peer, url, capabilities)
}

/** Of the options only what the contract names is sent: callers pass theirs through, with functions in them. */
class RemoteStorage implements BackupStorage {
  readonly url: string
  readonly capabilities: StorageCapabilities
  readonly #peer: Peer

  constructor(peer: Peer, url: string, capabilities: StorageCapabilities) {
    this.#peer = peer
    this.url = url
    this.capabilities = capabilities
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    const { signal, ifAbsent, ifMatch } = options
    const conditions = { ifAbsent, ifMatch }
    const put =
      body instanceof Uint8Array
        ? this.#peer.call(storageMethods.put, { key, bytes: body, ...conditions }, { signal })
        : this.#peer.call(storageMethods.put, { key, ...conditions }, { signal, body: cut(body) })
    return objectInfo.parse(await put)
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, offset, length } = options
    const range = { offset, length }
    checkRange(range)
    for await (const item of this.#peer.stream(storageMethods.get, { key, ...range }, { signal })) {
      yield chunk.parse(item)
      throwIfAborted(signal)
    }
  }

  async head(key: string, { signal }: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    return objectInfo.optional().parse(await this.#peer.call(storageMethods.head, { key }, { signal }))
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    for await (const infos of this.#peer.stream(storageMethods.list, { prefix }, { signal })) {
      for (const info of objectInfos.parse(infos)) {
        yield info
        throwIfAborted(signal)
      }
    }
  }

  async delete(key: string, { signal }: OperationOptions = {}): Promise<void> {
    await this.#peer.call(storageMethods.delete, { key }, { signal })
  }

  /** The storage itself is its owner's to close. */
  async close(): Promise<void> {}
}

async function* cut(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body) yield* pieces(bytes)
}
