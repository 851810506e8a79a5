// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are what the configuration has
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Excerpts } from '../../../src/agent/config/excerpt.ts'
import { ConfigError } from '../../../src/agent/config/problem.ts'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { problemText } from '../../../src/cli/present/config.ts'
import { file, load } from './support/load-text.ts'

/** It looks like nothing that a configuration knows; parts of a secret are as bad as all of it. */
const marker = 'Qzx7Marker'

const good = 'databases: [{ path: app.db }]\n'

/** All that anything tells of a file: `config check` with and without `--json`, `config show`, errors of other commands. */
async function told(text: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { value, problems } = await load(text, { env })
  if (value !== undefined) return JSON.stringify(configDocument(value))
  const { message, hint } = new ConfigError(file, { problems })
  const excerpts = new Excerpts(text)
  return [message, hint, JSON.stringify(problems), ...problems.map((each) => problemText(each, excerpts))].join('\n')
}

async function keepsSecret(text: string, env?: Readonly<Record<string, string>>): Promise<void> {
  const all = await told(text, env)
  assert.ok(!all.toLowerCase().includes(marker.toLowerCase()), `${text}\n----- is told of as -----\n${all}`)
}

describe('what is wrong with a file is told without what may be a secret in it', () => {
  const cases: readonly string[] = [
    `- webhook: { url: "ftp://x", secret: "abc}${marker}" }`,
    `- webhook: { url: "ftp://x", secret: "abc,${marker}, x: y" }`,
    `- webhook: { url: "ftp://x", secret: 'it''s ${marker}' }`,
    `- webhook: { url: "ftp://x", headers: { Authorization: "Bearer a}${marker}" } }`,
    `- webhook: { url: "ftp://x", secrett: "${marker}" }`,
    `- webhook: { url: "https://x", sekrit: ${marker} }`,
    `- webhook: { url: "https://x", secret:${marker} }`,
    `- webhook: { url: "https://x", ${marker} }`,
    `- webhook: { url: "https://x", secret=${marker} }`,
    `- webhook: { url: "https://x", headers: { "Authorization: Bearer ${marker}": } }`,
    `- webhook: { url: "https://x", headers: { "Authorization: Bearer ${marker}": x } }`,
    `- webhook: { url: "https://x", headers: "Authorization: ${marker}" }`,
    `- webhook: { url: "https://x", secretFile: "${marker}" }`,
    `- webhook: "${marker}"`,
    `- webhook: https://x/${marker}\n  on: nothing`,
    `- email: smtp://u:${marker}@host`,
    `- email: { host: h, user: u, password: "pa ss}${marker}", from: a@b }`,
    `- email: { host: h, user: u, password: !${marker}, from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: *${marker}, from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: &${marker} x, from: ab, to: c@d }`,
    `- email: { host: h, user: u, password: "\\q${marker}", from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: "\\x${marker}", from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: "\${${marker} 1}", from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: "${marker}, from: a@b, to: c@d }`,
    `- email: { host: h, user: u, password: @${marker}, from: a@b, to: c@d }`,
    `- email:\n    host: h\n      password:${marker}\n    from: a@b\n    to: c@d`,
    `- email:\n    host: h\n    password:${marker}\n    from: a@b\n    to: c@d`,
    `- email:\n    host: h\n    from: a@b\n    to: c@d\n    password: x\n    user: u\n      password=${marker}`,
    `- email:\n    host: h\n    user: u\n    password: |\n      one\n      ${marker}\n    from: ab\n    to: c@d`,
    `- email:\n    host: h\n    user: u\n    password: | ${marker}\n    from: ab\n    to: c@d`,
    `- email: { host: h, from: ab, to: c@d } # password: ${marker}`,
    `- command: 5\n  severity: high # ${marker}`,
    `- command: { run: "tell --token ${marker}" }`,
    `- on: "${marker}"\n  name: "${marker} x"`,
    `- "${marker}"`,
    `%${marker}\n---`,
  ]
  for (const [index, lines] of cases.entries())
    it(`${index + 1}. ${lines.replaceAll('\n', '⏎')}`, async () => {
      const indented = lines.replace(/^(?=.)/gm, '  ')
      await keepsSecret(lines.startsWith('%') ? `${lines}\n${good}` : `${good}notify:\n${indented}\n`)
    })

  it('a file that is a secret', () => keepsSecret(`${marker}\n`))

  it('places with passwords, right or wrong', async () => {
    await keepsSecret(`${good}repository: [s3://user:${marker}@bucket]\n`)
    await keepsSecret(`${good}repositry: s3://user:${marker}@bucket\n`)
    await keepsSecret(`${good}repository: s3://user:${marker}@bucket\n`)
    await keepsSecret(`${good}repository: file://user:${marker}@host/x?key=${marker}\n`)
    await keepsSecret(`${good}repository: sftp://user:pass/${marker}@host/folder\n`)
    await keepsSecret(`${good}repository: s3://bucket\nmirrors: ["sftp://user:${marker}@host/x", 5, "~/${marker}"]\n`)
    await keepsSecret(`${good}encryption: { passphrase: ${marker} }\n`)
  })

  it('what a value in the environment is', async () => {
    const text = 'notify: [{ email: { host: h, user: u, password: "${PASS}", from: "${PASS}", to: c@d } }]\n'
    await keepsSecret(good + text, { PASS: marker })
  })
})

it('a line beside a problem has its known keys, and what is wrong where that is harmless', async () => {
  const text = `${good}log: { level: "loud", format: 'json' } # why
notify:
  - webhook: { url: "ftp://x", secret: "a}b" }
`
  const { problems = [] } = await load(text)
  const excerpts = new Excerpts(text)
  assert.deepEqual(
    problems.map((each) => excerpts.of(each)),
    [
      { shown: 'log: { level: "loud", format: *** } ***', column: 14, length: 6 },
      { shown: '  - webhook: { url: ***, secret: *** }', column: 20, length: 3 },
    ],
  )
})

const secretChars = fc.string({ unit: fc.constantFrom(...'ab1 {}[],:#&*!|>\'"%@`\\$-=?/~'), maxLength: 6 })
const secret = fc.tuple(secretChars, secretChars).map(([before, after]) => `${before}${marker}${after}`)

const quoted: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => `"${text}"`,
  (text) => `'${text.replaceAll("'", "''")}'`,
  (text) => `'${text}'`,
  (text) => `|\n          ${text}\n          x`,
  (text) => `>-\n          x\n          ${text}`,
  (text) => `&it ${JSON.stringify(text)}`,
  (text) => `{ a: ${JSON.stringify(text)} }`,
  (text) => `[${text}, "x"]`,
  (text) => `"Bearer ${text}`,
  (text) => `x # ${text}`,
]

const keys = [
  ...['secret', 'password', 'headers', 'secretFile', 'url', 'webhook', 'passphrase', 'Authorization', 'token'],
  ...['secrett', 'Secret', 'secrt', 'pasword', 'passwordd', 'passwordFiel', 'pass word', 'sekrit', 'heeders', 'ulr'],
  ...['"secret"', "'password'", 'X-API-Key', '? secret', 'secret\n     '],
]

/** One line of a mapping, sometimes without what YAML needs behind a key. */
const entry = fc
  .record({
    key: fc.constantFrom(...keys),
    colon: fc.constantFrom(': ', ': ', ': ', ':', '=', ' '),
    text: secret,
    quote: fc.constantFrom(...quoted),
  })
  .map(({ key, colon, text, quote }) => `${key}${colon}${quote(text)}`)

const plainEntry = fc.constantFrom(
  ...['host: h', 'user: u', 'from: a@b', 'from: ab', 'to: c@d', 'url: "https://x.example/y"', 'url: ftp://x'],
  ...['timeout: 5', 'port: 99999', 'again: *it', 'hots: h', 'headers: { X: ~ }', 'tls: alwasy'],
)

const mapping = fc.record({
  flow: fc.boolean(),
  entries: fc.tuple(fc.array(plainEntry, { maxLength: 3 }), entry, fc.array(plainEntry, { maxLength: 3 })),
  dent: fc.constantFrom('', '', '', ' ', '  '),
})

const channel = fc
  .record({ type: fc.constantFrom('webhook', 'email', 'heartbeat', 'webhok', 'encryption', 'xyz'), mapping })
  .map(({ type, mapping: { flow, entries, dent } }) => {
    const [before, one, after] = entries
    if (flow) return `  - ${type}: { ${[...before, one, ...after].join(', ')} }\n`
    const lines = [...before, `${dent}${one}`, ...after].map((line) => `      ${line}\n`)
    return `  - ${type}:\n${lines.join('')}`
  })

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(2),
  insert: fc.constantFrom('', '"', "'", '{', '}', ']', ':', ' ', '\n', '#', '\t', '&', '*', '!', ',', '- '),
})

/** Breaks a file anywhere but in the marker itself. */
function broken(text: string, { at, remove, insert }: { at: number; remove: number; insert: string }): string {
  const place = Math.floor(at * text.length)
  const changed = text.slice(0, place) + insert + text.slice(place + remove)
  return changed.includes(marker) ? changed : text
}

const nameOfVariable = new RegExp(`\\$\\{\\w*${marker}\\w*[:}]`)

it('whatever the quoting, the key, and what is broken around it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(channel, { minLength: 1, maxLength: 2 }),
      fc.array(damage, { maxLength: 2 }),
      async (all, edits) => {
        const text = edits.reduce(broken, `${good}log: { level: loud }\nnotify:\n${all.join('')}`)
        // The name of a variable is no secret, and who has not set it must be told which.
        fc.pre(!nameOfVariable.test(text))
        await keepsSecret(text)
      },
    ),
    { numRuns: 1500 },
  )
})
