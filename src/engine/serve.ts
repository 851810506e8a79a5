import { HoldfastError } from '../errors.ts'
import { version } from '../util/version.ts'
import { keepYoungGenerationSmall } from '../util/young-generation.ts'
import type { EngineApi, Signatures } from './api.ts'
import type { Handler } from './incoming-call.ts'
import { Peer } from './peer.ts'
import { parentPort } from './port.ts'

export interface EngineContext<Event> {
  /** Fires when the host aborts the call, ends, or closes the engine. */
  readonly signal: AbortSignal
  readonly emit: (event: Event) => void
  /** Functions of the host. */
  readonly host: Peer
}

export type Implementation<S extends Signatures> = {
  readonly [Name in keyof S]: (
    input: S[Name]['input'],
    context: EngineContext<S[Name]['event']>,
  ) => Promise<S[Name]['output']>
}

/** How long calls may clean up after the host is gone before this process ends in the middle of them. */
const cleanUpMs = 5_000

/**
 * Makes this process an engine: answers the calls of the process that forked it, until that one disconnects or ends.
 * @throws USAGE if it was not forked by a host
 */
export function serve<S extends Signatures>(api: EngineApi<S>, implementation: Implementation<S>): void {
  const port = parentPort()
  if (port === undefined) {
    throw new HoldfastError('USAGE', 'This program is a part of Holdfast: it is started by the library, not by hand.')
  }
  const handlers: Record<string, Handler> = {}
  for (const name of Object.keys(api)) {
    handlers[name] = answering(api, implementation, name, () => peer)
  }
  const peer = new Peer(port, handlers, { onProtocolError: () => process.exit(1) })
  process.title = 'holdfast engine'
  keepYoungGenerationSmall()
  port.onClose(() => void end(peer))
  // Ctrl-C and a closed terminal reach every process of the group: what they mean is the host's to say.
  process.on('SIGINT', ignore)
  process.on('SIGHUP', ignore)
  process.on('SIGTERM', () => void stop(peer))
  peer.hello(version)
}

function answering<S extends Signatures, Name extends keyof S>(
  api: EngineApi<S>,
  implementation: Implementation<S>,
  name: Name,
  host: () => Peer,
): Handler {
  return async (input, { signal, emit }) =>
    await implementation[name](api[name].input.parse(input), { signal, emit, host: host() })
}

/** The host is gone, or needs this engine no more. */
async function end(peer: Peer): Promise<void> {
  setTimeout(() => process.exit(1), cleanUpMs).unref()
  peer.close(new HoldfastError('ABORTED', 'The process that this engine works for is gone.'))
  await peer.incomingEnded()
  process.exit(0)
}

/** Somebody asks this process alone to end: its calls are answered as aborted first. */
async function stop(peer: Peer): Promise<void> {
  setTimeout(() => process.exit(1), cleanUpMs).unref()
  peer.abortIncoming('The engine process was asked to end.')
  await peer.incomingEnded()
  if (process.connected) process.disconnect()
}

function ignore(): void {}
