import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from '../../../../src/storage/storage.ts'

export interface Watching {
  /** After each put and delete, before the next operation. */
  readonly onChange?: ((key: string) => Promise<void>) | undefined
  readonly onGet?: ((key: string) => Promise<void> | void) | undefined
}

/** Tells of what is done with a storage. */
export class WatchedStorage implements BackupStorage {
  readonly #inner: BackupStorage
  readonly #watching: Watching
  #turn: Promise<void> = Promise.resolve()

  constructor(inner: BackupStorage, watching: Watching) {
    this.#inner = inner
    this.#watching = watching
  }

  get url(): string {
    return this.#inner.url
  }

  get capabilities(): StorageCapabilities {
    return this.#inner.capabilities
  }

  async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    const info = await this.#inner.put(key, body, options)
    await this.#changed(key)
    return info
  }

  async *get(key: string, options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#watching.onGet?.(key)
    yield* this.#inner.get(key, options)
  }

  head(key: string, options?: OperationOptions): Promise<ObjectInfo | undefined> {
    return this.#inner.head(key, options)
  }

  list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options)
  }

  async delete(key: string, options?: OperationOptions): Promise<void> {
    await this.#inner.delete(key, options)
    await this.#changed(key)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #changed(key: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#watching.onChange?.(key))
    return this.#turn
  }
}
