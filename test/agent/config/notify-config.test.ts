import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { loadOk, places, problemOf, problemsOf } from './support/load-text.ts'

const start = 'databases: [{ path: a.db }]\nnotify:\n'

describe('ways to be told', () => {
  it('in short', async () => {
    const { notify } = await loadOk(`${start}  - webhook: https://hook.example/x
  - command: notify-send holdfast
  - heartbeat: https://hc.example/y
`)
    const common = {
      on: [
        'failure',
        'overdue',
        'missing',
        'lag',
        'gap',
        'verify',
        'drill',
        'spool',
        'disk',
        'expiring',
        'agent',
        'recovery',
      ],
      severity: 'warning',
      databases: undefined,
      rateLimit: { messages: 10, perMs: 600_000 },
    }
    assert.deepEqual(notify, [
      { ...common, type: 'webhook', name: 'webhook', settings: { url: 'https://hook.example/x' } },
      { ...common, type: 'command', name: 'command', settings: { command: 'notify-send holdfast' } },
      { type: 'heartbeat', name: 'heartbeat', settings: { name: 'heartbeat', url: 'https://hc.example/y' } },
    ])
  })

  it('in full', async () => {
    const { notify } = await loadOk(
      `${start}  - name: ops
    on: [failure, recovery]
    severity: critical
    databases: [app]
    rateLimit: { messages: 3, per: 1h }
    timeout: 5s
    email: { host: smtp.example, port: 2525, tls: never, user: u, passwordFile: pass, from: "H <h@x>", to: a@b, caFile: ca.pem }
  - { heartbeat: { url: "https://hc.example/z", schedule: full-weekly }, timeout: 3s }
`,
      { files: { '/etc/holdfast/pass': 'hush\n', '/etc/holdfast/ca.pem': 'PEM' } },
    )
    assert.deepEqual(notify, [
      {
        type: 'email',
        name: 'ops',
        on: ['failure', 'recovery'],
        severity: 'critical',
        databases: ['app'],
        rateLimit: { messages: 3, perMs: 3_600_000 },
        settings: {
          host: 'smtp.example',
          port: 2525,
          tls: 'never',
          user: 'u',
          password: 'hush',
          passwordFile: '/etc/holdfast/pass',
          ca: 'PEM',
          caFile: '/etc/holdfast/ca.pem',
          from: 'H <h@x>',
          to: ['a@b'],
          timeoutMs: 5000,
        },
      },
      {
        type: 'heartbeat',
        name: 'heartbeat',
        settings: { name: 'heartbeat', url: 'https://hc.example/z', schedule: 'full-weekly', timeoutMs: 3000 },
      },
    ])
  })

  it('have names of their own', async () => {
    const { notify } = await loadOk(`${start}  - webhook: https://a.example
  - { webhook: "https://b.example", name: webhook-2 }
  - webhook: https://c.example
`)
    assert.deepEqual(
      notify.map(({ name }) => name),
      ['webhook', 'webhook-2', 'webhook-3'],
    )
    const text = `${start}  - { webhook: "https://a.example", name: x }\n  - { command: y, name: x }\n`
    assert.equal((await problemOf(text)).message, 'notify[0] has the same name.')
  })

  const wrong: readonly (readonly [line: string, place: string, message: RegExp])[] = [
    ['{ on: [failure] }', '3:5 notify[0]', /^One of webhook, email, command, heartbeat must say how/],
    ['{ webhook: "https://x", command: y }', '3:29 notify[0].command', /^This is a webhook already/],
    ['{ heartbeat: "https://x", on: [drill] }', '3:31 notify[0].on', /does not go with "heartbeat"/],
    [
      '{ webhook: { url: "https://x", secret: a, secretFile: b } }',
      '3:47 notify[0].webhook.secretFile',
      /^Give either/,
    ],
    ['{ email: { host: h, user: u, from: a@b, to: c@d } }', '3:31 notify[0].email.user', /^A user needs a "password"/],
    ['{ email: { host: h, password: p, from: a@b, to: c@d } }', '3:7 notify[0].email', /^A password needs a "user"/],
    [
      '{ email: { host: h, from: ab, to: c@d } }',
      '3:31 notify[0].email.from',
      /^Expected an e-mail address, got another text\.$/,
    ],
    ['{ webhook: "ftp://x" }', '3:16 notify[0].webhook', /^Expected a URL that begins with https:/],
  ]
  for (const [line, place, message] of wrong) {
    it(`refuses ${line}`, async () => {
      const problems = (await problemsOf(`${start}  - ${line}\n`)).filter((problem) => message.test(problem.message))
      assert.deepEqual(places(problems), [place])
    })
  }

  it('name files of secrets that can be read and hold something', async () => {
    const text = `${start}  - webhook: { url: "https://x", secretFile: s }\n`
    assert.equal(
      (await problemOf(text)).message,
      'There is no such file. A path that does not begin with "/" is looked for in /etc/holdfast.',
    )
    assert.equal((await problemOf(text, { files: { '/etc/holdfast/s': '\n' } })).message, 'The file is empty.')
    const [notify] = (await loadOk(text, { files: { '/etc/holdfast/s': 'two words \r\n' } })).notify
    assert.ok(notify?.type === 'webhook')
    assert.equal(notify.settings.secret, 'two words ')
  })
})

it('what is shown has no secrets, and names the files that hold them', async () => {
  const config = await loadOk(
    `databases: [{ path: a.db }]
notify:
  - webhook: { url: "https://hook.example/hush-path?t=hush-query", secret: hush-secret, headers: { authorization: hush-header } }
  - webhook: { url: "https://hook.example", secretFile: s }
  - heartbeat: https://hc.example/hush-uuid
  - email: { host: h, user: u, password: "\${PASS}", from: a@b, to: c@d }
`,
    { env: { PASS: 'hush-env' }, files: { '/etc/holdfast/s': 'hush-file' } },
  )
  const repository = 's3://hush-user:hush-pass@bucket/prefix?region=eu&key=hush-key'
  const shown = JSON.stringify(configDocument({ ...config, repository }))
  assert.doesNotMatch(shown, /hush/)
  for (const part of [
    's3://***@bucket/prefix?region=eu&key=***',
    'https://hook.example/***',
    '/etc/holdfast/s',
    '"password":"***"',
  ])
    assert.ok(shown.includes(part), part)
})
