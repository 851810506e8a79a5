import { hasCode } from '../../errors.ts'
import { objectNotFound } from '../conditions.ts'
import { checkRange, resolveRange } from '../range.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from '../storage.ts'
import { Backoff, type RetryOptions } from './backoff.ts'
import { holdsBytes } from './holds-bytes.ts'

/**
 * Tries operations again that failed in passing (STORAGE_TRANSIENT, STORAGE_THROTTLED).
 *
 * - A put of a stream is tried once: a stream cannot be read twice.
 * - A conditional put whose answer was lost may have succeeded. When the next attempt then meets an object, its bytes are
 *   compared: our own are a success. So bytes put under a condition must be unlike anybody else's (hold a nonce).
 * - A get goes on at the byte where it broke, a listing after the key where it broke. An object that is replaced in that very
 *   moment yields the old beginning and the new end: read objects that are replaced in one piece, or check what was read.
 */
export class RetryStorage implements BackupStorage {
  readonly #inner: BackupStorage
  readonly #options: RetryOptions

  constructor(inner: BackupStorage, options: RetryOptions = {}) {
    this.#inner = inner
    this.#options = options
  }

  get url(): string {
    return this.#inner.url
  }

  get capabilities(): StorageCapabilities {
    return this.#inner.capabilities
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    if (!(body instanceof Uint8Array)) return await this.#inner.put(key, body, options)
    const backoff = new Backoff(this.#options, options.signal)
    return await backoff.run(async () => {
      try {
        return await this.#inner.put(key, body, options)
      } catch (thrown) {
        if (backoff.failures === 0 || !hasCode(thrown, 'OBJECT_EXISTS', 'OBJECT_CHANGED')) throw thrown
        const ours = await holdsBytes(this, key, body, options)
        if (ours === undefined) throw thrown
        return ours
      }
    })
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    checkRange(options)
    const backoff = new Backoff(this.#options, options.signal)
    let received = 0
    for (;;) {
      try {
        const rest = received === 0 ? options : await this.#rest(key, options, received)
        for await (const chunk of this.#inner.get(key, rest)) {
          received += chunk.length
          if (chunk.length > 0) backoff.madeProgress()
          yield chunk
        }
        return
      } catch (thrown) {
        await backoff.pauseAfter(thrown)
      }
    }
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    return await new Backoff(this.#options, options.signal).run(() => this.#inner.head(key, options))
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    const backoff = new Backoff(this.#options, options.signal)
    let last = ''
    for (;;) {
      try {
        for await (const info of this.#inner.list(prefix, options)) {
          if (info.key <= last) continue
          last = info.key
          backoff.madeProgress()
          yield info
        }
        return
      } catch (thrown) {
        await backoff.pauseAfter(thrown)
      }
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    await new Backoff(this.#options, options.signal).run(() => this.#inner.delete(key, options))
  }

  async close(): Promise<void> {
    await this.#inner.close()
  }

  /** What of a range is still to be read. Where it begins depends on the object's size if it counts from the end. */
  async #rest(key: string, options: GetOptions, received: number): Promise<GetOptions> {
    const { offset = 0, length, signal } = options
    let start = offset
    if (offset < 0) {
      const info = await this.#inner.head(key, { signal })
      if (info === undefined) throw objectNotFound(key)
      start = resolveRange(info.size, options).start
    }
    return { signal, offset: start + received, length: length === undefined ? undefined : length - received }
  }
}
