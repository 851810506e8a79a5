import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import type { EngineApi, Signatures } from '../engine/api.ts'
import type { EngineCallOptions } from '../engine/host.ts'
import { Peer } from '../engine/peer.ts'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import { version } from '../util/version.ts'
import { socketPort } from './socket-port.ts'

/** A connection to a running process of Holdfast on this machine. */
export class ControlClient<S extends Signatures> implements Disposable {
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #api: EngineApi<S>

  private constructor(socket: Socket, peer: Peer, api: EngineApi<S>) {
    this.#socket = socket
    this.#peer = peer
    this.#api = api
  }

  /** @throws NOT_RUNNING if nobody listens there, ACCESS_DENIED if it is another user's, USAGE if it is another version */
  static async connect<S extends Signatures>(path: string, api: EngineApi<S>): Promise<ControlClient<S>> {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
    } catch (thrown) {
      throw notReached(path, thrown)
    }
    const hello = Promise.withResolvers<string>()
    const peer = new Peer(socketPort(socket), {}, { onHello: hello.resolve, onProtocolError: () => socket.destroy() })
    const gone = new HoldfastError('NOT_RUNNING', 'The process that was asked has ended.', { object: path })
    socket.on('close', () => {
      hello.reject(gone)
      peer.close(gone)
    })
    const theirs = await hello.promise
    if (theirs === version) return new ControlClient(socket, peer, api)
    socket.destroy()
    throw new HoldfastError('USAGE', `The running process is Holdfast ${theirs}, this one is ${version}.`, {
      object: path,
      hint: 'Restart the running one, or use the same version.',
    })
  }

  /** @throws what the other process throws; NOT_RUNNING if it ends meanwhile; ABORTED */
  async call<Name extends keyof S & string>(
    name: Name,
    input: S[Name]['input'],
    { signal, onEvent }: EngineCallOptions<S[Name]['event']> = {},
  ): Promise<S[Name]['output']> {
    const procedure = this.#api[name]
    try {
      const parsed = (event: unknown) => onEvent?.(procedure.event.parse(event))
      return procedure.output.parse(await this.#peer.call(name, input, { signal, onEvent: onEvent && parsed }))
    } catch (thrown) {
      throw toHoldfastError(thrown)
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

function notReached(path: string, thrown: unknown): HoldfastError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'EACCES' || code === 'EPERM') {
    return new HoldfastError('ACCESS_DENIED', `The control socket ${path} belongs to another user.`, {
      object: path,
      cause: thrown,
      hint: 'Run this command as that user.',
    })
  }
  return new HoldfastError('NOT_RUNNING', `Nobody listens on ${path}.`, { object: path, cause: thrown })
}
