import { chunksOf } from '../abort.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from '../storage.ts'

/** What went over to a storage, or came back. */
export interface StorageTraffic {
  readonly direction: 'sent' | 'received'
  readonly key: string
  /** Bytes since the last event about this operation; 0 for none. */
  readonly bytes: number
}

/**
 * Tells a listener of every piece of an object that the storage takes (`sent`) or returns (`received`), for progress and
 * throughput. The listener must not throw.
 */
export class ObserveStorage implements BackupStorage {
  readonly #inner: BackupStorage
  readonly #listener: (traffic: StorageTraffic) => void

  constructor(inner: BackupStorage, listener: (traffic: StorageTraffic) => void) {
    this.#inner = inner
    this.#listener = listener
  }

  get url(): string {
    return this.#inner.url
  }

  get capabilities(): StorageCapabilities {
    return this.#inner.capabilities
  }

  /** Bytes are handed on as they are, so that a retry beneath can repeat them; they count when they have been stored. */
  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    if (!(body instanceof Uint8Array)) return await this.#inner.put(key, this.#counted(key, body, options), options)
    const info = await this.#inner.put(key, body, options)
    this.#listener({ direction: 'sent', key, bytes: body.length })
    return info
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#inner.get(key, options)) {
      this.#listener({ direction: 'received', key, bytes: chunk.length })
      yield chunk
    }
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    return await this.#inner.head(key, options)
  }

  list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options)
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    await this.#inner.delete(key, options)
  }

  async close(): Promise<void> {
    await this.#inner.close()
  }

  async *#counted(
    key: string,
    body: PutBody,
    { signal }: OperationOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunksOf(body, signal)) {
      yield chunk
      this.#listener({ direction: 'sent', key, bytes: chunk.length })
    }
  }
}
