import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { DeliveryError } from '../../../src/agent/notify/channels/delivery-error.ts'
import { type EmailSettings, email } from '../../../src/agent/notify/channels/email.ts'
import { type Message, messageText } from '../../../src/agent/notify/message.ts'
import { formatTime } from '../../../src/util/format-time.ts'
import { anAlert, hour, start } from './support/alerts.ts'
import { localhostCertificate } from './support/localhost-certificate.ts'
import { startMailServer } from './support/mail-server.ts'

const message: Message = { type: 'alert', alert: anAlert({ hint: 'Make room – ein Gedicht.' }) }
const never = new AbortController().signal
const from = 'holdfast@example.com'
const to = ['ops@example.com', 'boss@example.com']

function send(
  settings: Partial<EmailSettings>,
  options: { message?: Message; signal?: AbortSignal } = {},
): Promise<void> {
  const channel = email({ host: '127.0.0.1', from, to, ...settings }, { host: 'db1' })
  return channel.send(options.message ?? message, 'msg_1', options.signal ?? never)
}

async function failure(settings: Partial<EmailSettings>): Promise<DeliveryError> {
  const error = await send(settings).then(
    () => assert.fail('It got through.'),
    (thrown) => thrown,
  )
  assert.ok(error instanceof DeliveryError, String(error))
  return error
}

test('what people read says times as every other text for them does', () => {
  assert.match(messageText(message, { host: 'db1' }), new RegExp(`^Since: ${RegExp.escape(formatTime(start))}$`, 'm'))
})

describe('an e-mail', () => {
  test('goes encrypted to all recipients, in plain text', async () => {
    await using server = await startMailServer()
    await send({ port: server.port, ca: localhostCertificate })
    const [mail, ...more] = server.mails
    assert.deepEqual(more, [])
    assert.deepEqual(mail && [mail.from, mail.to, mail.secure], [from, to, true])
    const source = mail?.source ?? ''
    assert.match(
      source,
      /^Subject: \[holdfast\] Critical: The incremental backup of app failed: The disk is full\.\r?$/m,
    )
    assert.match(source, /^Content-Type: text\/plain; charset=utf-8\r?$/m)
    assert.match(source, /^Message-ID: <msg_1@holdfast>\r?$/m)
    assert.match(source, /^Auto-Submitted: auto-generated\r?$/m)
    assert.match(source, /Database: app/)
  })

  test('about the end of an alert stands in the thread of its beginning', async () => {
    await using server = await startMailServer()
    const settings = { port: server.port, ca: localhostCertificate }
    await send(settings)
    await send(settings, { message: { type: 'alert', alert: anAlert({ state: 'recovered', at: start + hour }) } })
    const [first, second] = server.mails.map(({ source }) => /^References: +(.*)$/m.exec(source)?.[1])
    assert.ok(first !== undefined && first === second)
    assert.match(server.mails[1]?.source ?? '', /^Subject: \[holdfast\] Over after 1 h: /m)
  })

  test('of hostile words stays one e-mail with one subject', async () => {
    await using server = await startMailServer()
    const alert = anAlert({ summary: 'Bad\r\nBcc: everybody@example.com\r\n\r\n.\r\nQUIT\r\n' })
    await send({ port: server.port, ca: localhostCertificate }, { message: { type: 'alert', alert } })
    assert.deepEqual(
      server.mails.map((mail) => mail.to),
      [to],
    )
    assert.doesNotMatch(server.mails[0]?.source.split(/\r?\n\r?\n/)[0] ?? '', /^Bcc:/m)
  })

  test('is sent with user and password, and says so when they are refused', async () => {
    await using server = await startMailServer({
      authOptional: false,
      onAuth({ username, password }, _session, callback) {
        if (username === 'me' && password === 'right') callback(null, { user: 'me' })
        else callback(new Error('Invalid username or password'))
      },
    })
    const settings = { port: server.port, ca: localhostCertificate, user: 'me' }
    await send({ ...settings, password: 'right' })
    assert.equal(server.mails[0]?.user, 'me')
    const refused = await failure({ ...settings, password: 'wrong-SECRET' })
    assert.match(refused.message, /^127\.0\.0\.1 refused the user or the password: .*535/)
    assert.equal(refused.retryable, false)
    assert.doesNotMatch(`${refused.message} ${refused.hint}`, /SECRET/)
    const { user: _user, ...anonymous } = settings
    assert.match((await failure(anonymous)).message, /refused the e-mail: .*530/)
  })

  test('is never sent unencrypted unless that is asked for', async () => {
    await using server = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    const error = await failure({ port: server.port })
    assert.match(error.message, /offers no encryption/)
    assert.deepEqual(server.mails, [])
    await send({ port: server.port, tls: 'never' })
    assert.deepEqual(
      server.mails.map(({ secure }) => secure),
      [false],
    )
  })

  test('is not given to a server whose certificate nobody vouches for, unless that is asked for', async () => {
    await using server = await startMailServer()
    const error = await failure({ port: server.port })
    assert.match(error.message, /self-signed certificate/)
    assert.deepEqual(server.mails, [])
    await send({ port: server.port, insecure: true })
    assert.equal(server.mails.length, 1)
  })

  test('can be encrypted from the first byte', async () => {
    await using server = await startMailServer({ secure: true })
    await send({ port: server.port, tls: 'always', ca: localhostCertificate })
    assert.equal(server.mails[0]?.secure, true)
    await failure({ port: server.port, ca: localhostCertificate, timeoutMs: 100 })
  })

  test('that is refused for now may be tried again; one that is refused for good is not', async () => {
    for (const [responseCode, retryable] of [
      [451, true],
      [552, false],
    ] as const) {
      await using server = await startMailServer({
        onMailFrom: (_address, _session, callback) => callback(Object.assign(new Error('no'), { responseCode })),
      })
      const error = await failure({ port: server.port, ca: localhostCertificate })
      assert.match(error.message, new RegExp(`^127\\.0\\.0\\.1 refused the e-mail: .*${responseCode}`))
      assert.equal(error.retryable, retryable)
    }
  })

  test('that one recipient refuses is there for the other, and not sent twice', async () => {
    await using server = await startMailServer({
      onRcptTo: ({ address }, _session, callback) =>
        address === 'boss@example.com' ? callback(Object.assign(new Error('gone'), { responseCode: 550 })) : callback(),
    })
    const error = await failure({ port: server.port, ca: localhostCertificate })
    assert.equal(error.message, '127.0.0.1 refused boss@example.com; the other recipients were told.')
    assert.equal(error.retryable, false)
    assert.deepEqual(server.mails[0]?.to, ['ops@example.com'])
  })

  test('is given up when the server is too slow, dies in the middle or is not there', async () => {
    for (const onConnection of [
      (_socket: Socket) => {},
      (socket: Socket) => socket.write('220 hello\r\n'),
      (socket: Socket) => {
        socket.write('220 hello\r\n')
        socket.once('data', () => socket.destroy())
      },
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ]) {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => {})
        onConnection(socket)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const error = await failure({ port, timeoutMs: 100 })
      assert.equal(error.retryable, true, error.message)
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      const gone = await failure({ port, timeoutMs: 1000 })
      assert.match(gone.message, /cannot be reached: .*ECONNREFUSED/)
      assert.equal(gone.retryable, true)
    }
  })

  test('is not waited for when the agent stops', async () => {
    const stop = new AbortController()
    const server = createServer((socket) => {
      socket.on('error', () => {})
      stop.abort()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await assert.rejects(send({ port }, { signal: stop.signal }), { code: 'ABORTED' })
    server.close()
  })
})
