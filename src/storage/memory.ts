import { chunksOf, throwIfAborted } from './abort.ts'
import { checkConditions, objectChanged, objectExists, objectNotFound } from './conditions.ts'
import { checkKey, checkPrefix, compareKeys } from './keys.ts'
import { checkRange, resolveRange } from './range.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from './storage.ts'

const chunkSize = 256 * 1024

interface StoredObject {
  readonly info: ObjectInfo
  readonly bytes: Uint8Array
}

interface Shelf {
  readonly objects: Map<string, StoredObject>
  versions: number
}

const shelves = new Map<string, Shelf>()

export interface MemoryStorageOptions {
  /** Storages of one name in one process share their objects, as long as the process lives. Default: objects of its own. */
  readonly name?: string | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/** A storage in the memory of this process, for tests and trials. */
export class MemoryStorage implements BackupStorage {
  readonly url: string
  readonly capabilities: StorageCapabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    consistentList: true,
  }
  readonly #shelf: Shelf
  readonly #now: () => number

  constructor(options: MemoryStorageOptions = {}) {
    this.url = `memory:${options.name ?? ''}`
    this.#shelf = shelfOf(options.name)
    this.#now = options.now ?? Date.now
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    checkKey(key)
    checkConditions(key, options)
    const chunks: Uint8Array[] = []
    for await (const chunk of chunksOf(body, options.signal)) chunks.push(Uint8Array.from(chunk))
    throwIfAborted(options.signal)
    const bytes = Buffer.concat(chunks)
    // From here on without a pause: that is what makes the conditions hold.
    const current = this.#shelf.objects.get(key)
    if (options.ifAbsent === true && current !== undefined) throw objectExists(key)
    if (options.ifMatch !== undefined && current?.info.etag !== options.ifMatch) throw objectChanged(key)
    this.#shelf.versions++
    const info = { key, size: bytes.length, etag: `v${this.#shelf.versions}`, modifiedAt: this.#now() }
    this.#shelf.objects.set(key, { info, bytes })
    return info
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    checkKey(key)
    checkRange(options)
    throwIfAborted(options.signal)
    const object = this.#shelf.objects.get(key)
    if (object === undefined) throw objectNotFound(key)
    const { start, end } = resolveRange(object.bytes.length, options)
    for (let position = start; position < end; position += chunkSize) {
      yield Uint8Array.from(object.bytes.subarray(position, Math.min(end, position + chunkSize)))
      throwIfAborted(options.signal)
    }
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    throwIfAborted(options.signal)
    return this.#shelf.objects.get(key)?.info
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix)
    throwIfAborted(options.signal)
    const keys = [...this.#shelf.objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys)
    for (const key of keys) {
      throwIfAborted(options.signal)
      const object = this.#shelf.objects.get(key)
      if (object !== undefined) yield object.info
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key)
    throwIfAborted(options.signal)
    this.#shelf.objects.delete(key)
  }

  async close(): Promise<void> {}
}

function shelfOf(name: string | undefined): Shelf {
  const known = name === undefined ? undefined : shelves.get(name)
  if (known !== undefined) return known
  const shelf: Shelf = { objects: new Map(), versions: 0 }
  if (name !== undefined) shelves.set(name, shelf)
  return shelf
}
