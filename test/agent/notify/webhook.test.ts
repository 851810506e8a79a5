import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { DeliveryError } from '../../../src/agent/notify/channels/delivery-error.ts'
import { type WebhookSettings, webhook } from '../../../src/agent/notify/channels/webhook.ts'
import type { Message } from '../../../src/agent/notify/message.ts'
import { anAlert, start } from './support/alerts.ts'
import { startReceiver } from './support/http-receiver.ts'

const message: Message = { type: 'alert', alert: anAlert() }
const sender = { host: 'db1', repository: 's3://acme/prod' }
const never = new AbortController().signal

function send(settings: WebhookSettings, signal: AbortSignal = never): Promise<void> {
  return webhook(settings, sender, () => start).send(message, 'msg_1', signal)
}

async function failure(settings: WebhookSettings): Promise<DeliveryError> {
  const error = await send(settings).then(
    () => assert.fail('It got through.'),
    (thrown) => thrown,
  )
  assert.ok(error instanceof DeliveryError)
  return error
}

describe('a webhook', () => {
  test('gets the alert as JSON', async () => {
    await using receiver = await startReceiver()
    await send({ url: `${receiver.url}/hooks/1?token=x`, headers: { authorization: 'Bearer secret' } })
    const [request, ...more] = receiver.received
    assert.deepEqual(more, [])
    assert.equal(request?.method, 'POST')
    assert.equal(request?.path, '/hooks/1?token=x')
    assert.equal(request?.headers['content-type'], 'application/json')
    assert.equal(request?.headers.authorization, 'Bearer secret')
    assert.equal(request?.headers['webhook-id'], 'msg_1')
    assert.equal(request?.headers['webhook-signature'], undefined)
    const { text, holdfast, ...document } = z
      .looseObject({ text: z.string(), holdfast: z.string() })
      .parse(JSON.parse(request?.body ?? ''))
    assert.match(text, /^Critical: The incremental backup of app failed: The disk is full\.\n\nDatabase: app\n/)
    assert.deepEqual(document, {
      version: 1,
      type: 'alert',
      id: 'msg_1',
      time: '2026-03-01T00:00:00.000Z',
      title: 'Critical: The incremental backup of app failed: The disk is full.',
      host: 'db1',
      repository: 's3://acme/prod',
      alerts: [
        {
          state: 'firing',
          kind: 'failure',
          severity: 'critical',
          key: 'failure/backup/app/changes',
          incident: 'failure/backup/app/changes@2026-03-01T00:00:00.000Z',
          database: 'app',
          summary: 'The incremental backup of app failed: The disk is full.',
          hint: null,
          since: '2026-03-01T00:00:00.000Z',
          durationMs: 0,
          reminder: 0,
          times: 1,
          details: { operation: 'backup' },
        },
      ],
      dropped: 0,
    })
  })

  test('can tell by the signature that it is genuine', async () => {
    await using receiver = await startReceiver()
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef')
    for (const [secret, key] of [
      ['correct horse', Buffer.from('correct horse')],
      [`whsec_${bytes.toString('base64')}`, bytes],
    ] as const) {
      await send({ url: receiver.url, secret })
      const { headers, body } = receiver.received.at(-1) ?? assert.fail()
      const timestamp = headers['webhook-timestamp']
      assert.equal(timestamp, String(start / 1000))
      const expected = createHmac('sha256', key)
        .update(`${headers['webhook-id']}.${timestamp}.${body}`)
        .digest('base64')
      assert.equal(headers['webhook-signature'], `v1,${expected}`)
    }
  })

  test('agrees with the example of the specification', async () => {
    const { signatureOf } = await import('../../../src/agent/notify/channels/webhook.ts')
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme".
    const signature = signatureOf(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
    )
    assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  test('that fails for now may be tried again; one that says no is not', async () => {
    for (const [status, retryable] of [
      [500, true],
      [503, true],
      [429, true],
      [400, false],
      [401, false],
      [404, false],
    ] as const) {
      await using receiver = await startReceiver((response) => response.writeHead(status).end('because\nof this'))
      const error = await failure({ url: receiver.url })
      assert.equal(error.message, `${receiver.url} answered ${status}: because of this`)
      assert.equal(error.retryable, retryable, String(status))
      assert.equal(receiver.received.length, 1)
    }
  })

  test('may say when to come back', async () => {
    await using seconds = await startReceiver((response) => response.writeHead(429, { 'retry-after': '17' }).end())
    assert.equal((await failure({ url: seconds.url })).retryAfterMs, 17_000)
    const date = new Date(Date.now() + 60_000).toUTCString()
    await using dated = await startReceiver((response) => response.writeHead(503, { 'retry-after': date }).end())
    const { retryAfterMs = 0 } = await failure({ url: dated.url })
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000)
    await using never = await startReceiver((response) => response.writeHead(503, { 'retry-after': '999999999' }).end())
    assert.equal((await failure({ url: never.url })).retryAfterMs, 3_600_000)
    await using garbage = await startReceiver((response) => response.writeHead(503, { 'retry-after': 'soon' }).end())
    assert.equal((await failure({ url: garbage.url })).retryAfterMs, undefined)
  })

  test('that does not answer in time is given up, and its request ended', async () => {
    await using receiver = await startReceiver(() => {})
    const error = await failure({ url: receiver.url, timeoutMs: 50 })
    assert.equal(error.message, `${receiver.url} did not answer within 0.05 s.`)
    assert.equal(error.retryable, true)
  })

  test('that dies in the middle of its answer, or talks garbage, is an error that says so', async () => {
    await using dying = await startReceiver((response) => {
      response.writeHead(500, { 'content-length': '1000' })
      response.write('half of it', () => response.destroy())
    })
    assert.equal((await failure({ url: dying.url })).retryable, true)
    const garbage = createServer((socket) => socket.end('this is not HTTP\r\n\r\n'))
    garbage.listen(0, '127.0.0.1')
    await once(garbage, 'listening')
    const address = garbage.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const error = await failure({ url: `http://127.0.0.1:${port}/` })
    garbage.close()
    assert.match(error.message, /cannot be reached: /)
  })

  test('where nobody listens is an error that says so', async () => {
    const receiver = await startReceiver()
    await receiver[Symbol.asyncDispose]()
    const error = await failure({ url: receiver.url })
    assert.match(error.message, /cannot be reached: connect ECONNREFUSED/)
    assert.equal(error.retryable, true)
  })

  test('is followed to another path of the same server, but to no other server', async () => {
    await using other = await startReceiver()
    await using moved = await startReceiver((response, { path }) => {
      if (path === '/old') response.writeHead(308, { location: '/new' }).end()
      else if (path === '/away') response.writeHead(307, { location: `${other.url}/` }).end()
      else if (path === '/get') response.writeHead(302, { location: '/new' }).end()
      else if (path === '/round') response.writeHead(307, { location: '/round' }).end()
      else response.writeHead(200).end()
    })
    await send({ url: `${moved.url}/old` })
    assert.deepEqual(
      moved.received.map(({ method, path, body }) => [method, path, body === '']),
      [
        ['POST', '/old', false],
        ['POST', '/new', false],
      ],
    )
    const away = await failure({ url: `${moved.url}/away` })
    assert.equal(away.message, `${moved.url} answered 307: it redirects to ${other.url}.`)
    assert.equal(away.retryable, false)
    assert.deepEqual(other.received, [])
    await failure({ url: `${moved.url}/get` })
    await failure({ url: `${moved.url}/round` })
    assert.equal(moved.received.filter(({ path }) => path === '/round').length, 4)
  })

  test('takes user and password from its address, also where it is redirected', async () => {
    await using receiver = await startReceiver((response, { path }) =>
      path === '/old' ? response.writeHead(307, { location: '/new' }).end() : response.writeHead(200).end(),
    )
    const { host } = new URL(receiver.url)
    await send({ url: `http://me:p%40ss@${host}/old` })
    const expected = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    assert.deepEqual(
      receiver.received.map(({ headers }) => headers.authorization),
      [expected, expected],
    )
  })

  test('never shows the secrets of its address in an error', async () => {
    await using receiver = await startReceiver((response) => response.writeHead(404).end())
    const { host } = new URL(receiver.url)
    const errors = [
      await failure({ url: `http://${host}/services/T0/SECRET?token=SECRET`, secret: 'SECRET' }),
      await failure({ url: `http://127.0.0.1:1/SECRET?token=SECRET`, secret: 'SECRET' }),
      await failure({ url: `http://SECRET:SECRET@${host}/` }),
      await failure({ url: receiver.url, headers: { authorization: 'Bearer SECRET\nSECRET' } }),
    ]
    for (const { message, object, hint } of errors) assert.doesNotMatch(`${message} ${object} ${hint}`, /SECRET/)
    assert.doesNotMatch(webhook({ url: `${receiver.url}/SECRET` }, sender).target, /SECRET/)
  })

  test('is not waited for when the agent stops', async () => {
    const stop = new AbortController()
    await using receiver = await startReceiver(() => stop.abort())
    await assert.rejects(send({ url: receiver.url }, stop.signal), { code: 'ABORTED' })
  })
})
