import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isLoopback } from '../agent/config/resolve/listen-address.ts'
import type { HealthReport } from '../agent/notify/health.ts'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import { version } from '../util/version.ts'
import { isAllowedHost } from './allowed-host.ts'
import { formatListenAddress, type ListenAddress } from './listen-address.ts'

export interface HttpServerOptions {
  readonly listen: ListenAddress
  /** Listens on an address that other machines can reach. Default false: it is refused. */
  readonly allowRemote?: boolean | undefined
  readonly metrics: { render(): Promise<{ readonly contentType: string; readonly body: string }> }
  readonly health: () => HealthReport | Promise<HealthReport>
  /** An answer that could not be made, which is a bug. */
  readonly onError?: ((error: HoldfastError) => void) | undefined
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
  readonly address: ListenAddress
}

const mostConnections = 100

/**
 * Serves `/metrics` and `/healthz` for GET and HEAD, and nothing else. No request changes anything.
 * @throws USAGE for an address that others can reach without `allowRemote`, or one that is taken or not of this machine; ACCESS_DENIED
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, allowRemote = false, onError } = options
  if (!allowRemote && !isLoopback(listen.host)) {
    throw new HoldfastError('USAGE', `Other machines could reach ${formatListenAddress(listen)}.`, {
      object: formatListenAddress(listen),
      hint: 'Listen on 127.0.0.1, or set "allowRemote: true" if that is what you want.',
    })
  }
  const server = createServer({ connectionsCheckingInterval: 1000 }, (request, response) => {
    // A request has no body that would be wanted.
    request.resume()
    answer(request, response, options).catch((error) => {
      onError?.(toHoldfastError(error, request.url))
      if (response.headersSent) response.destroy()
      else send(request, response, { status: 500, type: 'text/plain; charset=utf-8', body: 'Something went wrong.\n' })
    })
  })
  server.maxConnections = mostConnections
  server.headersTimeout = 5000
  server.requestTimeout = 10_000
  server.keepAliveTimeout = 5000
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  const address = await listening(server, listen)
  return {
    url: `http://${formatListenAddress(address)}`,
    address,
    [Symbol.asyncDispose]: () => closed(server),
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  send(request, response, await answerTo(request, options))
}

async function answerTo({ method, url, headers }: IncomingMessage, options: HttpServerOptions): Promise<Answer> {
  if (!isAllowedHost(headers.host, options.listen.host)) return plain(403, 'This name is not served here.')
  if (method !== 'GET' && method !== 'HEAD')
    return { ...plain(405, 'Only GET and HEAD.'), headers: { allow: 'GET, HEAD' } }
  switch (url?.split('?', 1)[0]) {
    case '/metrics': {
      const { contentType, body } = await options.metrics.render()
      return { status: 200, type: contentType, body }
    }
    case '/healthz': {
      const report = await options.health()
      const status = report.status === 'failing' ? 503 : 200
      return { status, type: 'application/json', body: `${JSON.stringify({ ...report, version })}\n` }
    }
    default:
      return plain(404, 'There are only /metrics and /healthz.')
  }
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` }
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(method === 'HEAD' ? undefined : body)
}

function listening(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  const place = formatListenAddress({ host, port })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, place)))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}

function listenError(error: NodeJS.ErrnoException, place: string): HoldfastError {
  const details = { object: place, cause: error, hint: 'Choose another address in "server.listen".' }
  switch (error.code) {
    case 'EADDRINUSE':
      return new HoldfastError('USAGE', `Another process listens on ${place} already.`, details)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new HoldfastError('USAGE', `${place} is no address of this machine.`, details)
    default:
      return toHoldfastError(error, place)
  }
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
