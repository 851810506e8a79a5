import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'

/** A storage in the host's process that stops every segment midway, until the test lets it go on. */
export class GateStorage extends MemoryStorage {
  /** Databases whose segments are being stored now. */
  readonly storing = new Set<string>()
  /** Databases that were worked on, in the order of their leases. */
  readonly begun: string[] = []
  /** Process ids of the engines that took a lease. */
  readonly engines = new Set<number>()
  readonly #holders = new Set<string>()
  mostAtOnce = 0
  readonly #open = Promise.withResolvers<void>()
  #arrival = Promise.withResolvers<void>()

  /** Lets everything pass from now on. */
  openGate(): void {
    this.#open.resolve()
  }

  /** Resolves when so many segments of the work stand at the gate; rejects if the work ends before. */
  async arrived(count: number, work: Promise<unknown>): Promise<void> {
    const ended = work.then((result) => Promise.reject(new Error(`It ended early: ${JSON.stringify(result)}`)))
    while (this.storing.size < count) await Promise.race([this.#arrival.promise, ended])
    ended.catch(() => {})
  }

  override async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    const [, database = '', kind] = key.split('/')
    if (kind === 'lease.json' && body instanceof Uint8Array) this.#noteLease(database, body)
    if (kind !== 'segments') return await super.put(key, body, options)
    this.storing.add(database)
    this.mostAtOnce = Math.max(this.mostAtOnce, this.storing.size)
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers<void>()
    try {
      return await super.put(key, this.#gated(body), options)
    } finally {
      this.storing.delete(database)
    }
  }

  async *#gated(body: PutBody): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      yield chunk
      await this.#open.promise
    }
  }

  #noteLease(database: string, body: Uint8Array): void {
    const text = Buffer.from(body).toString()
    const pid = /"pid":\s*(\d+)/.exec(text)?.[1]
    if (pid !== undefined) this.engines.add(Number(pid))
    const nonce = /"nonce":\s*"(\w+)"/.exec(text)?.[1] ?? ''
    // A holder writes its lease more than once.
    if (this.#holders.has(nonce)) return
    this.#holders.add(nonce)
    this.begun.push(database)
  }
}
