/**
 * Runs an engine: a child process that may open databases, which this process must not (docs: 1-architecture, "Processes").
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HoldfastError, toHoldfastError } from '../errors.ts'
import { aborted, throwIfAborted } from '../util/abort.ts'
import { cpuTime } from '../util/cpu-time.ts'
import { version } from '../util/version.ts'
import type { EngineApi, Signatures } from './api.ts'
import { deferred } from './deferred.ts'
import {
  type Exit,
  engineDied,
  engineHung,
  engineNotEnded,
  engineNotStarted,
  engineOfOtherVersion,
} from './engine-death.ts'
import { engineFolder } from './engine-folder.ts'
import { EngineWatch } from './engine-watch.ts'
import { engineEnvironment, keptOptions } from './exec-options.ts'
import { type Handlers, Peer } from './peer.ts'
import { childPort } from './port.ts'

export interface EngineOptions {
  /** What the engine may call in this process. */
  readonly handlers?: Handlers | undefined
  /** Working directory of the engine; default: this process's. */
  readonly cwd?: string | undefined
  /** The Node.js that runs it; default: the one that runs this process. */
  readonly execPath?: string | undefined
  /** How long an aborted call, or a closed engine, may take to clean up before the process is killed, in milliseconds; default 10,000. */
  readonly graceMs?: number | undefined
  /**
   * An engine that gives no sign of life for so long while a call runs is killed, in milliseconds; default ten minutes, `Infinity`
   * where somebody else sees to that. One that uses the processor meanwhile is given six times as long.
   */
  readonly silenceMs?: number | undefined
}

export interface EngineCallOptions<Event> {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: Event) => void) | undefined
}

const defaultGraceMs = 10_000
export const defaultSilenceMs = 10 * 60_000
/** A killed process is gone in no time, unless the system keeps it in a call that cannot be ended, of a file system that hangs. */
const unendingMs = 10_000
/** After a process has ended, what it wrote last may still be in the pipes for so long. */
const lastWordsMs = 1_000
const lastWordsLength = 4_096

/** Starts an engine. It ends with {@link Engine.close}, and by itself when this process ends. */
export function startEngine<S extends Signatures>(
  entry: URL,
  api: EngineApi<S>,
  options: EngineOptions = {},
): Engine<S> {
  return new Engine(entry, api, options)
}

export class Engine<S extends Signatures> implements AsyncDisposable {
  readonly #api: EngineApi<S>
  readonly #child: ChildProcess
  readonly #peer: Peer
  readonly #watch: EngineWatch
  readonly #graceMs: number
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #unending = deferred(unendingMs, () => this.#giveUp())
  #lastWords = ''
  #running = 0
  #hasEnded = false
  #isGivenUp = false
  /** Why it was killed; undefined if it was not, or not by {@link kill}. */
  #killedFor: HoldfastError | undefined

  constructor(entry: URL, api: EngineApi<S>, options: EngineOptions) {
    this.#api = api
    this.#graceMs = options.graceMs ?? defaultGraceMs
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      execArgv: keptOptions(process.execArgv),
      env: engineEnvironment(process.env),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      cwd: options.cwd ?? engineFolder(),
      ...(options.execPath === undefined ? {} : { execPath: options.execPath }),
    })
    this.#peer = new Peer(childPort(this.#child), options.handlers ?? {}, {
      onHello: (engine) => this.#greet(engine),
      onWord: () => this.#watch.heard(),
      onProtocolError: () => this.#kill(),
    })
    this.#watch = new EngineWatch(options.silenceMs ?? defaultSilenceMs, {
      ping: () => this.#peer.ping(),
      cpuTime: () => (this.pid === undefined ? undefined : cpuTime(this.pid)),
      onHang: (silentMs) => this.kill(engineHung(this.pid, silentMs)),
    })
    // Whoever calls learns of it; nobody may be calling yet.
    this.#ready.promise.catch(ignore)
    this.#listen()
    this.#hold(false)
  }

  /** Process id, undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** It answers nothing more: every call fails. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** @throws what the engine's function throws, ENGINE_DIED, ABORTED */
  async call<Name extends keyof S & string>(
    name: Name,
    input: S[Name]['input'],
    options: EngineCallOptions<S[Name]['event']> = {},
  ): Promise<S[Name]['output']> {
    const { signal, onEvent } = options
    throwIfAborted(signal)
    const procedure = this.#api[name]
    let abandoned = false
    const abandon = deferred(this.#graceMs, () => {
      abandoned = true
      this.#kill()
    })
    signal?.addEventListener('abort', abandon.start, { once: true })
    if (this.#running === 0) this.#watch.start()
    this.#running++
    this.#hold(true)
    try {
      await this.#ready.promise
      const parsed = (event: unknown) => onEvent?.(procedure.event.parse(event))
      const output = await this.#peer.call(name, input, { signal, onEvent: onEvent && parsed })
      return procedure.output.parse(output)
    } catch (thrown) {
      if (abandoned && signal !== undefined) throw aborted(signal)
      throw toHoldfastError(thrown)
    } finally {
      signal?.removeEventListener('abort', abandon.start)
      abandon.cancel()
      this.#running--
      if (this.#running === 0) {
        this.#watch.stop()
        this.#hold(false)
      }
    }
  }

  /**
   * Ends the engine; calls that still run are aborted. Resolves when the process is gone, or was killed and the system cannot end it.
   * @param graceMs how long they may clean up before it is killed; default: that of the engine
   */
  async close(graceMs: number = this.#graceMs): Promise<void> {
    if (this.#isGivenUp) return
    this.#hold(true)
    const kill = deferred(graceMs, () => this.#kill())
    kill.start()
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited.promise
    kill.cancel()
  }

  /** Ends the process at once. @param reason what every call that runs fails with */
  kill(reason: HoldfastError): void {
    this.#killedFor = reason
    this.#kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #greet(engine: string): void {
    if (engine === version) {
      this.#ready.resolve()
      return
    }
    this.#fail(engineOfOtherVersion(engine, version))
    // Nobody will ask it for anything.
    this.#kill()
  }

  #listen(): void {
    const child = this.#child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsLength)
    })
    child.on('error', (error) => {
      // Also reported for a signal that could not be sent; then the process lives on.
      if (child.pid !== undefined) return
      this.#fail(engineNotStarted(error))
      this.#exited.resolve()
    })
    child.on('exit', (code, signal) => void this.#bury({ code, signal }))
  }

  async #bury(exit: Exit): Promise<void> {
    // What it said before it died, to its channel and to stderr, comes first.
    const said = [
      this.#child.stderr === null ? undefined : finished(this.#child.stderr).catch(ignore),
      this.#child.connected ? once(this.#child, 'disconnect') : undefined,
    ]
    const patience = new AbortController()
    const silence = sleep(lastWordsMs, undefined, { signal: patience.signal }).catch(ignore)
    await Promise.race([Promise.all(said), silence])
    // Its timer would keep this process from ending.
    patience.abort()
    this.#unending.cancel()
    this.#fail(this.#killedFor ?? engineDied(this.#child.pid, exit, this.#lastWords.trim()))
    this.#exited.resolve()
  }

  #fail(error: HoldfastError): void {
    this.#hasEnded = true
    this.#ready.reject(error)
    this.#peer.close(error)
  }

  #kill(): void {
    if (this.#child.kill('SIGKILL')) this.#unending.start()
  }

  #giveUp(): void {
    this.#isGivenUp = true
    this.#fail(this.#killedFor ?? engineNotEnded(this.pid))
    this.#hold(false)
    this.#exited.resolve()
  }

  /** An idle engine does not keep this process from ending. */
  #hold(keep: boolean): void {
    const { channel, stderr } = this.#child
    const pipe = stderr instanceof Socket ? stderr : undefined
    for (const handle of [this.#child, channel, pipe]) {
      if (keep) handle?.ref()
      else handle?.unref()
    }
  }
}

function ignore(): void {}
