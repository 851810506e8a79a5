import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { formatTime } from '../../../src/util/format-time.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import {
  localhostCertificate,
  localhostKey,
  renewedCertificate,
  renewedKey,
} from '../notify/support/localhost-certificate.ts'
import { LeapClock } from '../support/leap-clock.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const day = 86_400_000

it('an agent tells through a webhook that the certificate of its server ends soon, and that it was renewed', async () => {
  setDefaultCACertificates([...getCACertificates(), localhostCertificate, renewedCertificate])
  using place = await agentPlace()
  const server = createServer({ cert: localhostCertificate, key: localhostKey })
  await using inbox = await AlertInbox.open(server)
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const clock = new LeapClock()
  // It ends with that year.
  clock.jump(Date.parse('2119-12-01T00:00:00Z') - clock.now())
  const databases = [{ path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '1d' }], verify: false }]
  const config = {
    repository,
    databases,
    notify: [{ ...inbox.channel, on: ['expiring', 'recovery'] }],
    repeatAlerts: '365d',
  }
  await using running = await RunningAgent.start(file('home'), config, { clock })
  const key = `expiring/${encodeURIComponent(inbox.host)}`
  const nextDay = () => clock.leap(day)

  // The days wait for a machine that is slow to tell.
  const tenDaysBefore = Date.parse('2119-12-22T00:00:00Z')
  const nextDayBefore = () => (clock.now() + day > tenDaysBefore ? undefined : nextDay())

  await running.until('it is told', () => inbox.has('firing', key), nextDayBefore)
  const summary = inbox.last(key)?.summary ?? ''
  assert.match(summary, new RegExp(`^The certificate of ${inbox.host} ends in 1[0-4] d`))
  assert.ok(summary.includes(`, at ${formatTime(Date.parse('2120-01-01T00:00:00Z'))}:`), summary)

  server.setSecureContext({ cert: renewedCertificate, key: renewedKey })
  await running.until('it is told that it is over', () => inbox.has('recovered', key), nextDay)
  inbox.proves('a certificate ends', key)
  assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
})
