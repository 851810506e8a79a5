import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { type CommandSettings, command } from '../../../src/agent/notify/channels/command.ts'
import { DeliveryError } from '../../../src/agent/notify/channels/delivery-error.ts'
import type { Message } from '../../../src/agent/notify/message.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { processEnd } from '../support/process-end.ts'
import { anAlert, start } from './support/alerts.ts'

const message: Message = { type: 'alert', alert: anAlert() }
const never = new AbortController().signal

function send(settings: CommandSettings, signal: AbortSignal = never, what: Message = message): Promise<void> {
  return command(settings, { host: 'db1' }).send(what, 'msg_1', signal)
}

async function failure(settings: CommandSettings): Promise<DeliveryError> {
  const error = await send(settings).then(
    () => assert.fail('It succeeded.'),
    (thrown) => thrown,
  )
  assert.ok(error instanceof DeliveryError)
  return error
}

describe('a command', () => {
  test('gets the alert on its standard input and in its environment', async () => {
    using folder = temporaryFolder()
    const out = folder.file('out')
    await send({ command: `{ cat; env | grep ^HOLDFAST_ | sort; } > '${out}'` })
    const [document = '', ...environment] = (await readFile(out, 'utf8')).trim().split('\n')
    assert.equal(JSON.parse(document).alerts[0].key, 'failure/backup/app/changes')
    assert.deepEqual(
      environment.filter((line) => !/^HOLDFAST_(NODE|SEED|REQUIRE_PARTS)=/.test(line)),
      [
        'HOLDFAST_ALERT_INCIDENT=failure/backup/app/changes@2026-03-01T00:00:00.000Z',
        'HOLDFAST_ALERT_KEY=failure/backup/app/changes',
        'HOLDFAST_ALERT_KIND=failure',
        'HOLDFAST_ALERT_SEVERITY=critical',
        'HOLDFAST_ALERT_STATE=firing',
        'HOLDFAST_DATABASE=app',
        'HOLDFAST_MESSAGE_ID=msg_1',
        'HOLDFAST_MESSAGE_TYPE=alert',
        'HOLDFAST_TITLE=Critical: The incremental backup of app failed: The disk is full.',
      ],
    )
  })

  test('may be a program and its arguments, which no shell sees', async () => {
    using folder = temporaryFolder()
    const out = folder.file('out')
    await send({ command: ['/bin/sh', '-c', 'printf %s "$1" > "$0"', out, '$(date) *'] })
    assert.equal(await readFile(out, 'utf8'), '$(date) *')
  })

  test('need not read what it is given, however much that is', async () => {
    const alerts = Array.from({ length: 5000 }, () => anAlert())
    await send({ command: 'true' }, never, { type: 'summary', alerts, dropped: 0, at: start })
  })

  test('that fails is told with what it printed', async () => {
    const error = await failure({ command: 'echo no such channel >&2; exit 3' })
    assert.equal(error.message, 'The command ended with 3.\nno such channel')
    assert.equal(error.retryable, false)
    assert.equal((await failure({ command: 'exit 75' })).retryable, true)
    assert.match((await failure({ command: ['/no/such/program'] })).message, /cannot be started: .*ENOENT/)
  })

  test('that takes too long is ended with all that it started', async () => {
    using folder = temporaryFolder()
    const pid = folder.file('pid')
    const error = await failure({ command: `sleep 600 & echo $! > '${pid}'; wait`, timeoutMs: 200 })
    assert.equal(error.message, 'The command ran longer than 0.2 s.')
    await processEnd(await readFile(pid, 'utf8'))
  })

  test('is ended when the agent stops', async () => {
    const stop = new AbortController()
    const sending = send({ command: 'sleep 600' }, stop.signal)
    stop.abort()
    await assert.rejects(sending, { code: 'ABORTED' })
  })
})
