import { ObserveStorage } from '../../../../src/storage/observe/observe-storage.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
} from '../../../../src/storage/storage.ts'

export interface Watching {
  /** After each put and delete, before the next operation. */
  readonly onChange?: ((key: string) => Promise<void>) | undefined
  /** Before each get; what it throws, the get does. */
  readonly onGet?: ((key: string) => Promise<void> | void) | undefined
}

/** Tells of what is done with a storage, and waits for whom it tells. */
export class WatchedStorage extends ObserveStorage {
  readonly #watching: Watching
  #turn: Promise<void> = Promise.resolve()

  constructor(inner: BackupStorage, watching: Watching) {
    super(inner, () => {})
    this.#watching = watching
  }

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    const info = await super.put(key, body, options)
    await this.#changed(key)
    return info
  }

  override async *get(key: string, options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#watching.onGet?.(key)
    yield* super.get(key, options)
  }

  override async delete(key: string, options?: OperationOptions): Promise<void> {
    await super.delete(key, options)
    await this.#changed(key)
  }

  #changed(key: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#watching.onChange?.(key))
    return this.#turn
  }
}
