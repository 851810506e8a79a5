import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../../../errors.ts'
import { abortable } from '../../../util/abort.ts'
import type { Inspection } from '../../source.ts'
import {
  type Begun,
  fromFailure,
  type Opened,
  type ReaderAnswer,
  type ReaderMessage,
  type ReaderRequest,
} from './protocol.ts'

/** `.ts` when run from source, `.js` when built. */
const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

type Request<Op extends ReaderRequest['op']> = Omit<Extract<ReaderRequest, { op: Op }>, 'op'>

interface Pending {
  readonly answer: PromiseWithResolvers<ReaderAnswer>
  readonly cancelled: Int32Array
}

/**
 * Main-thread side of the thread that holds a SQLite connection: statements block that thread alone. Every method throws
 * SQLite's own error (`isSqliteError`), a HoldfastError, or ABORTED at once when the signal fires; the thread itself stops
 * at its next statement.
 */
export class ReaderClient implements AsyncDisposable {
  readonly #location: string
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #pending: Pending[] = []
  #end: Error | undefined
  #closing: Promise<void> | undefined

  constructor(location: string) {
    this.#location = location
    this.#worker = new Worker(entry, { name: 'holdfast-sqlite' })
    this.#worker.on('message', (answer: ReaderAnswer) => this.#pending.shift()?.answer.resolve(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    this.#worker.on('exit', () => {
      this.#fail(new HoldfastError('INTERNAL', 'The thread that read the database ended.', { object: location }))
      resolve()
    })
  }

  async open(request: Request<'open'>, signal?: AbortSignal): Promise<Opened> {
    const answer = await this.#ask({ op: 'open', ...request }, signal)
    if (answer.op !== 'open') throw this.#unexpected(answer)
    return answer.value
  }

  async begin(request: Request<'begin'>, signal?: AbortSignal): Promise<Begun> {
    const answer = await this.#ask({ op: 'begin', ...request }, signal)
    if (answer.op !== 'begin') throw this.#unexpected(answer)
    return answer.value
  }

  async inspect(request: Request<'inspect'>, signal?: AbortSignal): Promise<Inspection> {
    const answer = await this.#ask({ op: 'inspect', ...request }, signal)
    if (answer.op !== 'inspect') throw this.#unexpected(answer)
    return answer.value
  }

  /** Closes the connection, once the statement that it may be running has ended. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const pending of this.#pending) cancel(pending)
    if (this.#end === undefined) {
      const answer = await this.#send({ op: 'close' }).answer.promise
      if (answer.op === 'failure') {
        await this.#worker.terminate()
        throw fromFailure(answer.failure, this.#location)
      }
    }
    await this.#exited
  }

  async #ask(request: ReaderRequest, signal: AbortSignal | undefined): Promise<ReaderAnswer> {
    const pending = this.#send(request)
    const onAbort = () => cancel(pending)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    try {
      const answer = await abortable(pending.answer.promise, signal)
      if (answer.op === 'failure') throw fromFailure(answer.failure, this.#location)
      return answer
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #send(request: ReaderRequest): Pending {
    const pending = {
      answer: Promise.withResolvers<ReaderAnswer>(),
      cancelled: new Int32Array(new SharedArrayBuffer(4)),
    }
    if (this.#end !== undefined) {
      pending.answer.reject(this.#end)
      return pending
    }
    this.#pending.push(pending)
    this.#worker.postMessage({ request, cancelled: pending.cancelled.buffer } satisfies ReaderMessage)
    return pending
  }

  #fail(error: Error): void {
    this.#end ??= error
    for (const pending of this.#pending.splice(0)) pending.answer.reject(this.#end)
  }

  #unexpected(answer: ReaderAnswer): HoldfastError {
    return new HoldfastError('INTERNAL', `The thread that reads the database answered ${answer.op}.`, {
      object: this.#location,
    })
  }
}

function cancel(pending: Pending): void {
  Atomics.store(pending.cancelled, 0, 1)
}
