import { toHoldfastError } from '../errors.ts'
import { type Handler, IncomingCall } from './incoming-call.ts'
import { type CallOptions, OutgoingCall } from './outgoing-call.ts'
import type { Port } from './port.ts'
import { type Message, parseMessage } from './protocol.ts'

export type Handlers = Readonly<Record<string, Handler>>

export interface PeerEvents {
  readonly onHello?: ((version: string) => void) | undefined
  /** The other side said something, whatever it was. */
  readonly onWord?: (() => void) | undefined
  /** The other side said something that makes no sense; the peer takes no further part. */
  readonly onProtocolError?: ((error: unknown) => void) | undefined
}

/** One side of a channel: makes calls, and answers those of the other side. */
export class Peer {
  readonly #port: Port
  readonly #handlers: Handlers
  readonly #events: PeerEvents
  readonly #outgoing = new Map<number, OutgoingCall>()
  readonly #incoming = new Map<number, { readonly call: IncomingCall; readonly ended: Promise<void> }>()
  #lastId = 0
  #closed: { readonly error: unknown } | undefined

  constructor(port: Port, handlers: Handlers, events: PeerEvents = {}) {
    this.#port = port
    this.#handlers = handlers
    this.#events = events
    port.onMessage((raw) => this.#receive(raw))
  }

  hello(version: string): void {
    this.#send({ type: 'hello', version })
  }

  /** Asks the other side for a sign of life. */
  ping(): void {
    this.#send({ type: 'ping' })
  }

  /** A sign of life: whoever calls may wait on. */
  alive(): void {
    this.#send({ type: 'alive' })
  }

  /** Calls a function of the other side. @throws what it throws, revived */
  call(method: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#start(method, input, options).result
  }

  /** Calls a function of the other side for the items that it sends. Stopping early stops it. */
  async *stream(method: string, input: unknown, options: CallOptions = {}): AsyncGenerator<unknown, void, undefined> {
    yield* this.#start(method, input, options).output
  }

  /** Ends every call that this side made with an error, and aborts every one of the other side. */
  close(error: unknown): void {
    this.#closed ??= { error }
    for (const call of this.#outgoing.values()) call.fail(error)
    this.abortIncoming('The other process is gone.')
  }

  abortIncoming(reason: string): void {
    for (const { call } of this.#incoming.values()) call.abort(reason)
  }

  /** Resolves when every call of the other side that runs now has ended. */
  async incomingEnded(): Promise<void> {
    await Promise.all([...this.#incoming.values()].map(({ ended }) => ended))
  }

  #start(method: string, input: unknown, options: CallOptions): OutgoingCall {
    this.#lastId++
    const id = this.#lastId
    const call = new OutgoingCall(id, (message) => this.#send(message), options)
    if (this.#closed !== undefined) {
      call.fail(this.#closed.error)
      return call
    }
    this.#outgoing.set(id, call)
    const forget = () => this.#outgoing.delete(id)
    call.result.then(forget, forget)
    call.start(method, input)
    return call
  }

  #receive(raw: unknown): void {
    if (this.#closed !== undefined) return
    this.#events.onWord?.()
    let message: Message
    try {
      message = parseMessage(raw)
    } catch (thrown) {
      this.close(toHoldfastError(thrown))
      this.#events.onProtocolError?.(thrown)
      return
    }
    this.#dispatch(message)
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'hello':
        this.#events.onHello?.(message.version)
        break
      case 'ping':
        this.alive()
        break
      case 'alive':
        break
      case 'call': {
        const { id, method } = message
        const call = new IncomingCall(id, (answer) => this.#send(answer))
        const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
        const ended = call.run(handler, method, message.input).finally(() => this.#incoming.delete(id))
        this.#incoming.set(id, { call, ended })
        break
      }
      case 'abort':
      case 'bodyItem':
      case 'bodyEnd':
      case 'bodyFailed':
      case 'outputWanted':
        // Late words about a call that has been answered.
        this.#incoming.get(message.id)?.call.receive(message)
        break
      default:
        this.#outgoing.get(message.id)?.receive(message)
    }
  }

  #send(message: Message): void {
    if (this.#closed === undefined) this.#port.send(message)
  }
}
