import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { localhostCertificate } from '../notify/support/localhost-certificate.ts'
import { startMailServer } from '../notify/support/mail-server.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

it('an agent tells by webhook, e-mail and command that a database cannot be followed, and that it can', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  await using mail = await startMailServer()
  const { repository, file } = place
  writeFileSync(file('authority.pem'), localhostCertificate)
  writeFileSync(file('told'), '')
  const email = {
    host: '127.0.0.1',
    port: mail.port,
    caFile: file('authority.pem'),
    from: 'holdfast@example.com',
    to: ['ops@example.com'],
  }
  const command = `printf '%s %s %s\\n' "$HOLDFAST_ALERT_STATE" "$HOLDFAST_ALERT_KIND" "$HOLDFAST_DATABASE" >> '${file('told')}'`
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false }]
  const notify = [inbox.channel, { email }, { command }]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify })
  const next = () => running.clock.leap(1_000)
  const commandTold = () => readFileSync(file('told'), 'utf8')
  const subjects = () => mail.mails.map(({ source }) => /^Subject: (.*)\r$/m.exec(source)?.[1] ?? '')
  await running.until(
    'all were told',
    () => inbox.all.length === 1 && mail.mails.length === 1 && commandTold() !== '',
    next,
  )
  makeDatabase(file('app.db'))
  await running.until(
    'all were told that it is over',
    () => inbox.all.length === 2 && mail.mails.length === 2 && commandTold().split('\n').length === 3,
    next,
  )
  assert.deepEqual(
    inbox.all.map(({ state, kind, severity }) => `${state} ${kind} ${severity}`),
    ['firing failure critical', 'recovered failure critical'],
  )
  inbox.proves('following fails', 'failure/follow/app/')
  assert.equal(commandTold(), 'firing failure app\nrecovered failure app\n')
  const [first = '', last = ''] = subjects()
  assert.match(first, /^\[holdfast\] Critical: The following of app failed/)
  assert.match(last, /^\[holdfast\] .*(Over|Recovered)/)
  assert.ok(mail.mails.every(({ secure }) => secure))
})
