import { HoldfastError } from '../../errors.ts'
import { sleep } from '../abort.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from '../storage.ts'
import { damaged } from './damaged-read.ts'
import type { FaultMoment, FaultPlan, StorageOperation } from './fault-plan.ts'
import { halfThenThrow } from './half-body.ts'
import { ListLag } from './list-lag.ts'

/**
 * A storage that fails as planned, for tests. Without a plan it changes nothing.
 *
 * @example every single operation of some work fails once
 * for (let n = 0, tripped = true; tripped; n++) {
 *   const storage = new FaultStorage(new MemoryStorage(), { failAt: n, moment: 'after' })
 *   await work(storage).catch(expectStorageError)
 *   await checkThatNothingIsLost(storage.inner)
 *   tripped = storage.tripped
 * }
 */
export class FaultStorage implements BackupStorage {
  readonly inner: BackupStorage
  readonly #plan: FaultPlan
  readonly #operations: StorageOperation[] = []
  readonly #lag: ListLag
  #tripped = false

  constructor(inner: BackupStorage, plan: FaultPlan = {}) {
    this.inner = inner
    this.#plan = plan
    this.#lag = new ListLag(plan.listLag ?? 0)
  }

  get url(): string {
    return this.inner.url
  }

  get capabilities(): StorageCapabilities {
    const { capabilities } = this.inner
    return { ...capabilities, consistentList: capabilities.consistentList && (this.#plan.listLag ?? 0) === 0 }
  }

  /** Everything that was asked for so far, in order of beginning. */
  get operations(): readonly StorageOperation[] {
    return this.#operations
  }

  /** Whether the planned failure has happened. */
  get tripped(): boolean {
    return this.#tripped
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    const fault = await this.#begin({ name: 'put', key }, options)
    if (fault?.moment === 'midway')
      return await answer(fault, this.inner.put(key, halfThenThrow(body, fault.error), options))
    await this.#noteChange(key)
    return await answer(fault, this.inner.put(key, body, options))
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const fault = await this.#begin({ name: 'get', key }, options)
    const damage = this.#plan.damage?.filter((one) => one.key === key) ?? []
    for await (const chunk of failing(fault, damaged(this.inner, key, options, damage))) {
      if (fault?.moment !== 'midway') yield chunk
      else {
        yield chunk.subarray(0, Math.floor(chunk.length / 2))
        throw fault.error
      }
    }
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    const fault = await this.#begin({ name: 'head', key }, options)
    return await answer(fault, this.inner.head(key, options))
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    const fault = await this.#begin({ name: 'list', key: prefix }, options)
    const listing = this.#lag.apply(this.inner.list(prefix, options), prefix, this.#operations.length)
    for await (const info of failing(fault, listing)) {
      yield info
      if (fault?.moment === 'midway') throw fault.error
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    const fault = await this.#begin({ name: 'delete', key }, options)
    await this.#noteChange(key)
    await answer(fault, this.inner.delete(key, options))
  }

  async close(): Promise<void> {
    await this.inner.close()
  }

  /** Counts the operation; throws if it fails before it begins, otherwise says how it will fail. */
  async #begin(operation: StorageOperation, { signal }: OperationOptions): Promise<Fault | undefined> {
    const index = this.#operations.push(operation) - 1
    const { failAt = Number.POSITIVE_INFINITY, moment = 'before', crash = false, latencyMs = 0 } = this.#plan
    const latency = typeof latencyMs === 'number' ? latencyMs : latencyMs(operation)
    if (latency > 0) await (this.#plan.sleep ?? sleep)(latency, signal)
    if (crash && index > failAt) throw this.#error(operation, 'the storage is gone')
    if (index !== failAt) return undefined
    this.#tripped = true
    const error = this.#error(operation, `operation ${index}, ${moment}`)
    const hasMiddle = operation.name !== 'head' && operation.name !== 'delete'
    if (moment === 'before' || (moment === 'midway' && !hasMiddle)) throw error
    return { moment, error }
  }

  #error({ name, key }: StorageOperation, detail: string): HoldfastError {
    return new HoldfastError(this.#plan.code ?? 'STORAGE_TRANSIENT', `Injected fault: ${name} ${key} (${detail}).`, {
      object: key,
    })
  }

  async #noteChange(key: string): Promise<void> {
    if (!this.#lag.enabled) return
    this.#lag.note(key, await this.inner.head(key), this.#operations.length)
  }
}

interface Fault {
  readonly moment: FaultMoment
  readonly error: HoldfastError
}

/** The answer of an operation, be it a success or a refusal, unless a fault takes its place. */
async function answer<T>(fault: Fault | undefined, operation: Promise<T>): Promise<T> {
  if (fault === undefined) return await operation
  await Promise.allSettled([operation])
  throw fault.error
}

/** The items of a stream, and then, or where it fails by itself, the fault. */
async function* failing<T>(fault: Fault | undefined, items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* items
  } catch (thrown) {
    throw fault?.error ?? thrown
  }
  if (fault !== undefined) throw fault.error
}
