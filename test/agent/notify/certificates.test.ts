import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:net'
import { describe, it } from 'node:test'
import { createServer } from 'node:tls'
import type { NotifyConfig } from '../../../src/agent/config/config.ts'
import type { Alert } from '../../../src/agent/notify/alert.ts'
import { certificateEnd } from '../../../src/agent/notify/certificates/certificate-end.ts'
import { CertificateWatch } from '../../../src/agent/notify/certificates/certificate-watch.ts'
import { tlsEndpoints } from '../../../src/agent/notify/certificates/tls-endpoints.ts'
import { Engine } from './support/alerts.ts'
import { localhostCertificate, localhostKey } from './support/localhost-certificate.ts'
import { startMailServer } from './support/mail-server.ts'

const day = 86_400_000
const { signal } = new AbortController()
const heartbeat = (url: string): NotifyConfig => ({
  type: 'heartbeat',
  name: 'heart',
  settings: { name: 'heart', url },
})

function scene(start: string) {
  let now = Date.parse(start)
  const engine = new Engine()
  engine.now = now
  const told: Alert[] = []
  let firing: readonly Alert[] = []
  const lines: string[] = []
  const watch = new CertificateWatch({
    notifier: {
      observe: (observations) => {
        engine.now = now
        told.push(...engine.see(...observations))
        firing = told.filter(
          ({ state, key }) => state === 'firing' && told.findLast((each) => each.key === key)?.state === 'firing',
        )
      },
      get firing() {
        return firing
      },
    },
    log: { debug: (message) => void lines.push(message) },
    now: () => now,
  })
  return {
    watch,
    lines,
    take: () => told.splice(0).map(({ state, key }) => `${state} ${key}`),
    at: (time: string) => {
      now = Date.parse(time)
    },
  }
}

/** A server with a certificate that is valid until 2120. */
async function startTlsServer() {
  let connections = 0
  const server = createServer({ cert: localhostCertificate, key: localhostKey }, (socket) => {
    socket.on('error', () => {})
  })
  server.on('connection', () => {
    connections += 1
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the certificate of a server through which somebody is notified', () => {
  it('is told of 14 days before it ends, looked at once a day, and is over when a later one is there', async () => {
    await using server = await startTlsServer()
    const { watch, take, at } = scene('2119-12-01T00:00:00Z')
    const notify = [heartbeat(`https://127.0.0.1:${server.port}/ping`)]
    const key = `expiring/127.0.0.1%3A${server.port}`
    await watch.look(notify, signal)
    assert.deepEqual(take(), [])
    at('2119-12-01T23:00:00Z')
    await watch.look(notify, signal)
    assert.equal(server.connections(), 1)
    at('2119-12-20T00:00:00Z')
    await watch.look(notify, signal)
    assert.deepEqual(take(), [`firing ${key}`])
    // As if the end were further away.
    at('2119-11-01T00:00:00Z')
    await watch.look(notify, signal)
    assert.deepEqual(take(), [`recovered ${key}`])
    assert.equal(server.connections(), 3)
  })

  it('matters no more when nobody is notified there', async () => {
    await using server = await startTlsServer()
    const { watch, take } = scene(new Date(Date.parse('2120-01-01T00:00:00Z') + day).toISOString())
    await watch.look([heartbeat(`https://127.0.0.1:${server.port}/ping`)], signal)
    assert.match(take().join(), /^firing /)
    await watch.look([], signal)
    assert.match(take().join(), /^recovered /)
  })

  it('that cannot be looked at is only in the log', async () => {
    const { watch, take, lines } = scene('2119-12-20T00:00:00Z')
    await watch.look([heartbeat('https://127.0.0.1:1/ping')], signal)
    assert.deepEqual(take(), [])
    assert.match(lines.join(), /^The certificate of 127\.0\.0\.1:1 could not be looked at/)
  })

  it('of a server that says nothing is not waited for, and harms nobody', async () => {
    const server = createPlainServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const giveUp = new AbortController()
    server.once('connection', () => setImmediate(() => giveUp.abort()))
    const endpoint = { name: 'silent', host: '127.0.0.1', port, startTls: false }
    // An error that nobody listens to would end the process, and fails this test.
    await assert.rejects(certificateEnd(endpoint, giveUp.signal), { name: 'AbortError' })
    server.close()
    await once(server, 'close')
  })

  it('is seen of a mail server that begins in the clear', async () => {
    await using server = await startMailServer()
    const { watch, take, lines } = scene('2119-12-20T00:00:00Z')
    const email: NotifyConfig = {
      type: 'email',
      name: 'mail',
      on: [],
      severity: 'warning',
      databases: undefined,
      rateLimit: { messages: 1, perMs: 1 },
      settings: { host: '127.0.0.1', port: server.port, from: 'a@b', to: ['c@d'] },
    }
    await watch.look([email], signal)
    assert.deepEqual(lines, [])
    assert.deepEqual(take(), [`firing expiring/127.0.0.1%3A${server.port}`])
  })

  it('is there where something is encrypted', () => {
    assert.deepEqual(
      tlsEndpoints([
        heartbeat('https://a/x'),
        heartbeat('https://a/y'),
        heartbeat('http://b'),
        heartbeat('https://[::1]:8'),
      ]).map(({ name }) => name),
      ['a:443', '::1:8'],
    )
  })
})
