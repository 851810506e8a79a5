/** docs/alerts.md and docs/hooks.md say what is so. `UPDATE_DOCS=1` writes the table of metrics. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { hookEnvironment } from '../../../src/agent/hooks/hook.ts'
import { metricDefinitions } from '../../../src/agent/metrics/metric-definitions.ts'
import { alertTopics } from '../../../src/agent/notify/alert.ts'
import { webhook } from '../../../src/agent/notify/channels/webhook.ts'
import { messageDocument } from '../../../src/agent/notify/message.ts'
import { anAlert } from './support/alerts.ts'
import { startReceiver } from './support/http-receiver.ts'

const docs = (name: string) => join(import.meta.dirname, '../../../docs', name)
const alerts = await readFile(docs('alerts.md'), 'utf8')

function block(language: string, having: string): string {
  for (const [, found, text = ''] of alerts.matchAll(/```(\w+)\n([\s\S]*?)```/g))
    if (found === language && text.includes(having)) return text
  assert.fail(`No ${language} with ${having}.`)
}

test('every metric is described, and no other', async () => {
  const table = metricDefinitions
    .map(({ name, labels, help }) => `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`)
    .join('\n')
  const heading = '| metric | labels | |\n| --- | --- | --- |\n'
  const [before = '', rest = ''] = alerts.split(heading)
  const document = `${before}${heading}${table}\n\n${rest.split('\n\n').slice(1).join('\n\n')}`
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(docs('alerts.md'), document)
  assert.equal(await readFile(docs('alerts.md'), 'utf8'), document)
})

test('every kind of alert is described', () => {
  const described = [...alerts.matchAll(/^\| `(\w+)` \| .* \| .* \|.* \|$/gm)].map(([, topic]) => topic)
  assert.deepEqual(described, ['on', ...alertTopics])
})

test('the verification of a webhook accepts what is genuine, and nothing else', async () => {
  const source = `data:text/javascript,${encodeURIComponent(block('js', 'isGenuine'))}`
  const { isGenuine } = z
    .looseObject({ isGenuine: z.function({ input: [z.unknown(), z.string(), z.string()], output: z.boolean() }) })
    .parse(await import(source))
  const secret = `whsec_${Buffer.from('a good secret').toString('base64')}`
  const forged = { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,x' }
  await using receiver = await startReceiver()
  const send = async (now: () => number) => {
    const channel = webhook({ url: receiver.url, secret }, { host: 'db1' }, now)
    await channel.send({ type: 'alert', alert: anAlert() }, 'msg_1', new AbortController().signal)
    return receiver.received.at(-1) ?? assert.fail()
  }
  const { headers, body } = await send(Date.now)
  assert.equal(isGenuine(headers, body, secret), true)
  assert.equal(isGenuine(headers, `${body} `, secret), false)
  assert.equal(isGenuine(headers, body, 'other'), false)
  assert.equal(isGenuine({ ...headers, 'webhook-id': 'msg_2' }, body, secret), false)
  assert.equal(isGenuine(forged, body, secret), false)
  assert.equal(isGenuine({}, body, secret), false)
  const old = await send(() => Date.now() - 600_000)
  assert.equal(isGenuine(old.headers, old.body, secret), false)
})

test('the body of a webhook has the keys that are described', () => {
  const example = z
    .looseObject({ alerts: z.array(z.looseObject({})).length(1) })
    .parse(JSON.parse(block('json', '"incident"')))
  const document = messageDocument({ type: 'alert', alert: anAlert() }, 'msg_1', { host: 'db1' })
  const keys = (value: object | undefined) => Object.keys(value ?? {}).sort()
  assert.deepEqual(keys(example), keys(document))
  assert.deepEqual(keys(example.alerts[0]), keys(document.alerts[0]))
})

test('every variable of a hook is described, and no other', async () => {
  const described = (await readFile(docs('hooks.md'), 'utf8')).match(/HOLDFAST_[A-Z_]+/g)
  const given = hookEnvironment({ moment: 'before', operation: 'backup', repository: 'x', trigger: 'manual' })
  assert.deepEqual(new Set(described), new Set(Object.keys(given)))
})
