import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import type { EngineApi, Signatures } from '../engine/api.ts'
import type { EngineCallOptions } from '../engine/host.ts'
import { Peer } from '../engine/peer.ts'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import { aborted, throwIfAborted } from '../util/abort.ts'
import { version } from '../util/version.ts'
import { SilenceWatch } from './silence-watch.ts'
import { listenerOf } from './socket-path.ts'
import { socketPort } from './socket-port.ts'

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined
  /** How long the other process may take to say that it is there, in milliseconds; default 30 s. */
  readonly answerMs?: number | undefined
  /** How long it may give no sign of life while it works on a call, in milliseconds; default 60 s. Its signs come every 10 s. */
  readonly silenceMs?: number | undefined
  /** Name of the database that it follows and is asked about, for messages. */
  readonly follows?: string | undefined
}

/** Long for a process that is only busy; one that was stopped never answers. */
const defaultAnswerMs = 30_000
const defaultSilenceMs = 60_000

const hungHint = 'It may have been stopped, or hang: let it go on, or end it.'

/** A connection to a running process of Holdfast on this machine. */
export class ControlClient<S extends Signatures> implements Disposable {
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #api: EngineApi<S>
  readonly #watch: SilenceWatch

  private constructor(socket: Socket, peer: Peer, api: EngineApi<S>, watch: SilenceWatch) {
    this.#socket = socket
    this.#peer = peer
    this.#api = api
    this.#watch = watch
  }

  /**
   * @throws NOT_RUNNING if nobody listens there, or nobody answers, ACCESS_DENIED if it is another user's, USAGE if it is another
   * version, ABORTED
   */
  static async connect<S extends Signatures>(
    path: string,
    api: EngineApi<S>,
    { signal, answerMs = defaultAnswerMs, silenceMs = defaultSilenceMs, follows }: ConnectOptions = {},
  ): Promise<ControlClient<S>> {
    throwIfAborted(signal)
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
    } catch (thrown) {
      throw notReached(path, thrown)
    }
    const hello = Promise.withResolvers<string>()
    const peer = new Peer(socketPort(socket), {}, { onHello: hello.resolve, onProtocolError: () => socket.destroy() })
    const who = describe(path, follows)
    const gone = new HoldfastError('NOT_RUNNING', 'The process that was asked has ended.', { object: path })
    socket.on('close', () => {
      hello.reject(gone)
      peer.close(gone)
    })
    const giveUp = (): void => hello.reject(aborted(signal))
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
    const timer = setTimeout(() => hello.reject(noAnswer(path, who, answerMs)), answerMs)
    const theirs = await hello.promise
      .catch((error: unknown) => {
        socket.destroy()
        throw error
      })
      .finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
      })
    if (theirs === version) {
      const watch = new SilenceWatch(silenceMs, () => {
        peer.close(silent(path, who, silenceMs))
        socket.destroy()
      })
      socket.on('data', () => watch.heard())
      return new ControlClient(socket, peer, api, watch)
    }
    socket.destroy()
    throw new HoldfastError('USAGE', `The running process is Holdfast ${theirs}, this one is ${version}.`, {
      object: path,
      hint: 'Restart the running one, or use the same version.',
    })
  }

  /** @throws what the other process throws; NOT_RUNNING if it ends meanwhile, or gives no sign of life any more; ABORTED */
  async call<Name extends keyof S & string>(
    name: Name,
    input: S[Name]['input'],
    { signal, onEvent }: EngineCallOptions<S[Name]['event']> = {},
  ): Promise<S[Name]['output']> {
    const procedure = this.#api[name]
    using _ = this.#watch.begin()
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

/** Subject of a sentence. */
function describe(path: string, follows: string | undefined): string {
  const pid = listenerOf(path)
  const who = pid === undefined ? `The process that listens on ${path}` : `Process ${pid}`
  if (follows === undefined) return who
  return pid === undefined ? `${who} and follows ${follows}` : `${who}, which follows ${follows},`
}

function noAnswer(path: string, who: string, answerMs: number): HoldfastError {
  const message = `${who} has not answered for ${answerMs / 1000} s.`
  return new HoldfastError('NOT_RUNNING', message, { object: path, hint: hungHint })
}

function silent(path: string, who: string, silenceMs: number): HoldfastError {
  const message = `${who} has given no sign of life for ${silenceMs / 1000} s while it was at work.`
  return new HoldfastError('NOT_RUNNING', message, { object: path, hint: hungHint })
}
