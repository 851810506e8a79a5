/** Lets other processes of this user ask something of a running one, over a local socket. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { EngineApi, Signatures } from '../engine/api.ts'
import type { Handler } from '../engine/incoming-call.ts'
import { Peer } from '../engine/peer.ts'
import { HoldfastError } from '../errors.ts'
import { version } from '../util/version.ts'
import { isTooLong } from './socket-path.ts'
import { socketPort } from './socket-port.ts'

export interface ControlContext<Event> {
  /** Fires when the other process aborts the call or is gone, and when the server closes. */
  readonly signal: AbortSignal
  readonly emit: (event: Event) => void
}

export type ControlHandlers<S extends Signatures> = {
  readonly [Name in keyof S]: (
    input: S[Name]['input'],
    context: ControlContext<S[Name]['event']>,
  ) => Promise<S[Name]['output']>
}

export interface ControlServerOptions {
  /** So often whoever is connected gets a sign of life, in milliseconds; default 10 s. */
  readonly aliveEveryMs?: number | undefined
}

const defaultAliveEveryMs = 10_000

export class ControlServer implements AsyncDisposable {
  /** Of the socket, which only this user may use. */
  readonly path: string
  readonly #server: Server
  readonly #aliveEveryMs: number
  readonly #connections = new Map<Socket, Peer>()
  /** A process that ends without closing it leaves no socket either, unless it is killed. */
  readonly #onExit = (): void => rmSync(this.path, { force: true })

  private constructor(path: string, server: Server, { aliveEveryMs = defaultAliveEveryMs }: ControlServerOptions) {
    this.path = path
    this.#server = server
    this.#aliveEveryMs = aliveEveryMs
  }

  /** @throws USAGE if the path is too long for a socket; ACCESS_DENIED and what else the system says */
  static async listen<S extends Signatures>(
    path: string,
    api: EngineApi<S>,
    handlers: ControlHandlers<S>,
    options: ControlServerOptions = {},
  ): Promise<ControlServer> {
    if (process.platform !== 'win32' && isTooLong(path)) {
      throw new HoldfastError('USAGE', `The path of the control socket is too long for the system: ${path}.`, {
        object: path,
        hint: 'Choose a shorter state folder.',
      })
    }
    const answers: Record<string, Handler> = {}
    for (const name of Object.keys(api)) answers[name] = answering(api, handlers, name)
    const server = createServer()
    const control = new ControlServer(path, server, options)
    server.on('connection', (socket) => control.#serve(socket, answers))
    // The folder keeps others out until the socket's own mode does.
    server.listen(path)
    await once(server, 'listening')
    if (process.platform !== 'win32') {
      process.on('exit', control.#onExit)
      await chmod(path, 0o600)
    }
    server.unref()
    return control
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const [socket, peer] of this.#connections) {
      peer.abortIncoming('The process is ending.')
      await peer.incomingEnded()
      socket.end()
      socket.destroySoon()
    }
    await closed
    process.off('exit', this.#onExit)
    if (process.platform !== 'win32') await rm(this.path, { force: true })
  }

  #serve(socket: Socket, answers: Readonly<Record<string, Handler>>): void {
    const peer = new Peer(socketPort(socket), answers, { onProtocolError: () => socket.destroy() })
    this.#connections.set(socket, peer)
    const alive = setInterval(() => peer.alive(), this.#aliveEveryMs)
    alive.unref()
    socket.on('close', () => {
      clearInterval(alive)
      this.#connections.delete(socket)
      peer.close(new HoldfastError('ABORTED', 'The other process is gone.'))
    })
    peer.hello(version)
  }
}

function answering<S extends Signatures, Name extends keyof S>(
  api: EngineApi<S>,
  handlers: ControlHandlers<S>,
  name: Name,
): Handler {
  return async (input, { signal, emit }) => await handlers[name](api[name].input.parse(input), { signal, emit })
}
