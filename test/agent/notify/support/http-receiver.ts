import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { text } from 'node:stream/consumers'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Respond = (response: ServerResponse, request: Received, nth: number) => void

export interface HttpReceiver extends AsyncDisposable {
  readonly url: string
  readonly received: readonly Received[]
}

/** A server on this machine that keeps what it gets. It answers 204 unless told otherwise. @param server default: one that does not encrypt */
export async function startReceiver(
  respond: Respond = (response) => response.writeHead(204).end(),
  server: Server | HttpsServer = createServer(),
): Promise<HttpReceiver> {
  const received: Received[] = []
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    const taken = { method, path: url, headers, body: await text(request) }
    received.push(taken)
    respond(response, taken, received.length)
  }
  server.on('request', (request, response) => {
    take(request, response).catch((error) => response.destroy(error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `${server instanceof HttpsServer ? 'https' : 'http'}://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
