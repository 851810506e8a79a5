import { HoldfastError } from '../errors.ts'
import { aborted } from '../util/abort.ts'
import { Credit } from './credit.ts'
import { packError, reviveError } from './errors.ts'
import { Inbox } from './inbox.ts'
import type { Message } from './protocol.ts'

/** What a handler may do while it works on a call. */
export interface CallContext {
  /** Fires when the caller aborts, and when the caller's process is gone. */
  readonly signal: AbortSignal
  /** Tells the caller something in passing. */
  readonly emit: (event: unknown) => void
  /** What the caller sends along. */
  readonly body: AsyncIterable<unknown>
  /** Sends an item to the caller, as soon as it wants one. @throws ABORTED */
  readonly output: (item: unknown) => Promise<void>
}

export type Handler = (input: unknown, context: CallContext) => Promise<unknown>

/** A call from the other process, until it is answered. */
export class IncomingCall {
  readonly #id: number
  readonly #send: (message: Message) => void
  readonly #controller = new AbortController()
  readonly #outputCredit = new Credit()
  readonly #body: Inbox

  constructor(id: number, send: (message: Message) => void) {
    this.#id = id
    this.#send = send
    this.#body = new Inbox({
      want: (count) => send({ type: 'bodyWanted', id, count }),
      stop: () => Promise.resolve(),
    })
  }

  /** Never rejects: what the handler throws is the answer. */
  async run(handler: Handler | undefined, method: string, input: unknown): Promise<void> {
    const id = this.#id
    try {
      if (handler === undefined) throw new HoldfastError('INTERNAL', `The other process has no function "${method}".`)
      this.#send({ type: 'returned', id, value: await handler(input, this.#context()) })
    } catch (thrown) {
      this.#send({ type: 'threw', id, error: packError(thrown) })
    }
  }

  receive(message: Message): void {
    if (message.type === 'abort') this.abort('The caller asked to stop.')
    else if (message.type === 'bodyItem') this.#body.push(message.item)
    else if (message.type === 'bodyEnd') this.#body.end()
    else if (message.type === 'bodyFailed') this.#body.fail(reviveError(message.error))
    else if (message.type === 'outputWanted') this.#outputCredit.grant(message.count)
  }

  abort(reason: string): void {
    if (this.#controller.signal.aborted) return
    this.#controller.abort(new DOMException(reason, 'AbortError'))
    this.#outputCredit.close()
    this.#body.fail(aborted(this.#controller.signal))
  }

  #context(): CallContext {
    const { signal } = this.#controller
    return {
      signal,
      body: this.#body,
      emit: (event) => this.#send({ type: 'event', id: this.#id, event }),
      output: async (item) => {
        if (!(await this.#outputCredit.take())) throw aborted(signal)
        this.#send({ type: 'outputItem', id: this.#id, item })
      },
    }
  }
}
