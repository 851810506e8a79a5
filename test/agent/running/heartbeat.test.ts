import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { startReceiver } from '../notify/support/http-receiver.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

const minute = 60_000

it('an agent tells a heartbeat that all is well, is silent while something fails, and goes on when it is over', async () => {
  using place = await agentPlace()
  await using service = await startReceiver()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false }]
  const notify = [{ heartbeat: { url: `${service.url}/ping`, every: '5m' } }]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify })
  const { agent, clock } = running
  const pings = () => service.received.length
  const next = () => clock.leap(minute)
  const beats = async (): Promise<void> => {
    const before = pings()
    await running.until('it beats', () => pings() > before, next)
  }
  for (let times = 0; times < 3; times += 1) await beats()
  assert.ok(service.received.every(({ method, path }) => method === 'POST' && /^\/ping\?rid=/.test(path)))

  renameSync(file('app.db'), file('away.db'))
  await running.until('it is noticed', () => agent.health().status === 'failing', next)
  const before = pings()
  const end = clock.now() + 60 * minute
  await running.until('an hour has gone by', () => clock.now() > end, next)
  assert.equal(agent.health().status, 'failing')
  // One may have been on its way.
  assert.ok(pings() - before <= 1, `${pings() - before} pings`)

  renameSync(file('away.db'), file('app.db'))
  await running.until('all is well', () => agent.health().status === 'ok', next)
  await beats()
})
