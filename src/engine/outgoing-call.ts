import { hasCode } from '../errors.ts'
import { aborted } from '../util/abort.ts'
import { Credit } from './credit.ts'
import { packError, reviveError } from './errors.ts'
import { Inbox } from './inbox.ts'
import type { Message } from './protocol.ts'

export interface CallOptions {
  /** Asks the other side to stop; the call still waits for its answer, so that its cleaning up is over when it rejects. */
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: unknown) => void) | undefined
  /** Items for the other side, read at the pace at which it takes them. An item may be reused once the next is asked for. */
  readonly body?: AsyncIterable<unknown> | undefined
}

/** A call that this process made, until the other one answers. */
export class OutgoingCall {
  readonly id: number
  readonly result: Promise<unknown>
  /** What the other side sends beside its answer. */
  readonly output: Inbox
  readonly #send: (message: Message) => void
  readonly #options: CallOptions
  readonly #settled = Promise.withResolvers<unknown>()
  readonly #bodyCredit = new Credit()
  /** What the body or the event listener threw: on our side, so that the other side's answer can only echo it. */
  #ownError: { readonly thrown: unknown } | undefined
  #done = false

  constructor(id: number, send: (message: Message) => void, options: CallOptions) {
    this.id = id
    this.#send = send
    this.#options = options
    this.result = this.#settled.promise
    // Who only reads the output learns of a failure there.
    this.result.catch(ignore)
    this.output = new Inbox({
      want: (count) => this.#sendWhileOpen({ type: 'outputWanted', id, count }),
      stop: async () => {
        this.#sendWhileOpen({ type: 'abort', id })
        await this.result.then(ignore, ignore)
      },
    })
  }

  start(method: string, input: unknown): void {
    const { signal, body } = this.#options
    try {
      signal?.throwIfAborted()
      this.#send({ type: 'call', id: this.id, method, input })
    } catch (thrown) {
      this.fail(signal?.aborted ? aborted(signal) : thrown)
      return
    }
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (body !== undefined) void this.#sendBody(body)
  }

  receive(message: Message): void {
    if (message.type === 'event') this.#tell(message.event)
    else if (message.type === 'outputItem') this.output.push(message.item)
    else if (message.type === 'bodyWanted') this.#bodyCredit.grant(message.count)
    else if (message.type === 'returned') this.#returned(message.value)
    else if (message.type === 'threw') this.fail(this.#asSeenHere(reviveError(message.error)))
  }

  fail(error: unknown): void {
    this.#finish(() => this.#settled.reject(error), { error })
  }

  #finish(settle: () => void, failure?: { readonly error: unknown }): void {
    if (this.#done) return
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#bodyCredit.close()
    settle()
    if (failure === undefined) this.output.end()
    else this.output.fail(failure.error)
  }

  #returned(value: unknown): void {
    if (this.#ownError !== undefined) this.fail(this.#ownError.thrown)
    else this.#finish(() => this.#settled.resolve(value))
  }

  #tell(event: unknown): void {
    try {
      this.#options.onEvent?.(event)
    } catch (thrown) {
      this.#ownError ??= { thrown }
      this.#abort()
    }
  }

  /** An error of our own, and our own abort, come back as copies: the originals are better. */
  #asSeenHere(error: unknown): unknown {
    if (this.#ownError !== undefined) return this.#ownError.thrown
    const { signal } = this.#options
    return signal?.aborted && hasCode(error, 'ABORTED') && error.name === 'HoldfastError' ? aborted(signal) : error
  }

  readonly #abort = (): void => this.#sendWhileOpen({ type: 'abort', id: this.id })

  #sendWhileOpen(message: Message): void {
    if (!this.#done) this.#send(message)
  }

  async #sendBody(body: AsyncIterable<unknown>): Promise<void> {
    const { id } = this
    const iterator = body[Symbol.asyncIterator]()
    try {
      while (await this.#bodyCredit.take()) {
        const next = await iterator.next()
        if (next.done === true) {
          this.#sendWhileOpen({ type: 'bodyEnd', id })
          return
        }
        this.#sendWhileOpen({ type: 'bodyItem', id, item: next.value })
      }
    } catch (thrown) {
      this.#ownError ??= { thrown }
      this.#sendWhileOpen({ type: 'bodyFailed', id, error: packError(thrown) })
      return
    }
    // A producer that hangs would answer only later, and nobody waits for what it says.
    iterator.return?.().then(ignore, ignore)
  }
}

function ignore(): void {}
