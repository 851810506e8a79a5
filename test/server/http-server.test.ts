import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import type { HealthReport } from '../../src/agent/notify/health.ts'
import type { HoldfastError } from '../../src/errors.ts'
import { isAllowedHost } from '../../src/server/allowed-host.ts'
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../src/server/http-server.ts'
import { version } from '../../src/util/version.ts'

const well: HealthReport = { status: 'ok', problems: [] }
const free = { host: '127.0.0.1', port: 0 }

function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return startHttpServer({ listen: free, metrics: new Metrics(), health: () => well, ...options })
}

interface Asked {
  readonly method?: string
  readonly host?: string
}

async function ask({ address }: HttpServer, path: string, { method = 'GET', host }: Asked = {}) {
  const headers = host === undefined ? {} : { host }
  const sent = request({ host: address.host, port: address.port, path, method, headers, agent: false })
  sent.end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** What the server answers to raw bytes, until it closes. */
async function raw({ address }: HttpServer, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(address.port, address.host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.end(bytes)
  await closed
  return answer
}

describe('the HTTP server', () => {
  test('serves metrics to Prometheus', async () => {
    await using server = await start()
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    const { status, headers, body } = await ask(server, '/metrics?x=1')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(body, /^holdfast_build_info\{/m)
    const head = await ask(server, '/metrics', { method: 'HEAD' })
    assert.deepEqual([head.status, head.body, Number(head.headers['content-length']) > 100], [200, '', true])
  })

  test('tells whether all is well, and what is not', async () => {
    const problem = {
      key: 'overdue/app',
      severity: 'critical',
      database: 'app',
      summary: 'There is no backup of app at all.',
      since: '2026-03-01T00:00:00.000Z',
    } as const
    let report = well
    await using server = await start({ health: () => report })
    const seen = async () => {
      const { status, headers, body } = await ask(server, '/healthz')
      assert.equal(headers['content-type'], 'application/json')
      return { status, body: JSON.parse(body) }
    }
    assert.deepEqual(await seen(), { status: 200, body: { status: 'ok', problems: [], version } })
    report = { status: 'warning', problems: [{ ...problem, severity: 'warning' }] }
    assert.equal((await seen()).status, 200)
    report = { status: 'failing', problems: [problem] }
    assert.deepEqual(await seen(), { status: 503, body: { ...report, version } })
  })

  test('knows nothing else, and changes nothing', async () => {
    await using server = await start()
    for (const path of ['/', '/metrics/', '/healthz/..', '/../../etc/passwd', '/Metrics', '//metrics', '*'])
      assert.equal((await ask(server, path)).status, 404, path)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      const { status, headers } = await ask(server, '/metrics', { method })
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method)
    }
  })

  test('survives garbage, endless headers and clients that go away', async () => {
    await using server = await start()
    assert.match(await raw(server, 'garbage\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await raw(server, Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256))), /^HTTP\/1\.1 400 |^$/)
    assert.match(await raw(server, `GET / HTTP/1.1\r\nX: ${'x'.repeat(1_000_000)}`), /^HTTP\/1\.1 400 |^$/)
    assert.match(await raw(server, 'GET /metrics HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.equal(await raw(server, ''), '')
    for (let i = 0; i < 20; i += 1)
      connect(server.address.port, server.address.host)
        .on('error', () => {})
        .destroy()
    const half = connect(server.address.port, server.address.host)
    half.on('error', () => {})
    half.write('GET /metrics HTTP/1.1\r\nHost: loc')
    assert.equal((await ask(server, '/metrics')).status, 200)
    half.destroy()
  })

  test('says nothing of what went wrong inside but that it did', async () => {
    const errors: HoldfastError[] = []
    const metrics = { render: () => Promise.reject(new Error('secret')) }
    await using server = await start({ metrics, onError: (error) => errors.push(error) })
    const { status, body } = await ask(server, '/metrics')
    assert.deepEqual([status, body], [500, 'Something went wrong.\n'])
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['secret'],
    )
    assert.equal((await ask(server, '/healthz')).status, 200)
  })

  test('answers only to its own name, so that a web page cannot reach it by another', async () => {
    await using server = await start()
    const { port } = server.address
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', '[::1]:1'])
      assert.equal((await ask(server, '/metrics', { host })).status, 200, host)
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.evil',
    ]) {
      const { status, body } = await ask(server, '/metrics', { host })
      assert.deepEqual([status, body.includes('holdfast_')], [403, false], host)
    }
    assert.match(await raw(server, 'GET /metrics HTTP/1.1\r\nHost:\r\n\r\n'), /^HTTP\/1\.1 403 /)
    assert.equal(isAllowedHost('prometheus.internal:7420', '0.0.0.0'), true)
    assert.equal(isAllowedHost(undefined, '127.0.0.1'), false)
  })

  test('is not open to other machines unless that is asked for', async () => {
    await assert.rejects(start({ listen: { host: '0.0.0.0', port: 0 } }), {
      code: 'USAGE',
      message: 'Other machines could reach 0.0.0.0:0.',
    })
    await using server = await start({ listen: { host: '0.0.0.0', port: 0 }, allowRemote: true })
    const local = { ...server, address: { ...server.address, host: '127.0.0.1' } }
    assert.equal((await ask(local, '/healthz', { host: 'db1.internal' })).status, 200)
  })

  test('says so when its address is taken, or not of this machine', async () => {
    await using server = await start()
    const { port } = server.address
    await assert.rejects(start({ listen: { host: '127.0.0.1', port } }), {
      code: 'USAGE',
      message: `Another process listens on 127.0.0.1:${port} already.`,
    })
    await assert.rejects(start({ listen: { host: '203.0.113.1', port: 0 }, allowRemote: true }), {
      code: 'USAGE',
      message: '203.0.113.1:0 is no address of this machine.',
    })
  })

  test('ends at once, whoever is still connected', async () => {
    const server = await start()
    const socket = connect(server.address.port, server.address.host)
    socket.on('error', () => {})
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await server[Symbol.asyncDispose]()
    await closed
    await assert.rejects(ask(server, '/healthz'), { code: 'ECONNREFUSED' })
  })
})
