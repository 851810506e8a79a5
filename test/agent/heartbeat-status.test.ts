import assert from 'node:assert/strict'
import { it } from 'node:test'
import { statusText } from '../../src/cli/present/status.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { startReceiver } from './notify/support/http-receiver.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

it('the status of an agent tells how its heartbeats go', async () => {
  await using receiver = await startReceiver((response, { path }) =>
    response.writeHead(path.startsWith('/gone') ? 404 : 200).end(),
  )
  using place = await agentPlace()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const schedules = [{ id: 'often', type: 'full', every: '1s' }]
  const databases = [{ path: file('app.db'), follow: false, schedules, verify: false }]
  const notify = [
    { heartbeat: { url: `${receiver.url}/gone`, every: '5m' } },
    { heartbeat: { url: `${receiver.url}/runs`, database: 'app' }, name: 'runs' },
  ]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify })
  const { agent, clock } = running
  const told = () => agent.status().heartbeats
  await running.until(
    'both were sent',
    () => told().every(({ lastSentAt, lastFailureAt }) => (lastSentAt ?? lastFailureAt) !== null),
    () => clock.leap(1_000),
  )
  const [gone = assert.fail(), runs = assert.fail()] = told()
  assert.deepEqual([gone.name, gone.everyMs, gone.lastSentAt], ['heartbeat', 300_000, null])
  assert.match(gone.lastFailure ?? '', /answered 404/)
  assert.notEqual(gone.failingSince, null)
  assert.deepEqual([runs.name, runs.database, runs.lastFailure], ['runs', 'app', null])
  const status = agent.status()
  assert.equal(status.health, 'warning')
  const text = statusText(status, clock.now())
  assert.match(
    text,
    /^Heartbeat heartbeat \(every 5 min, http.*\): FAILING for .*, nothing sent yet; last failure .* 404/m,
  )
  assert.match(text, /^Heartbeat runs \(of scheduled operations of app, http.*\): last sent .* ago\.$/m)
  assert.match((await agent.renderMetrics()).body, /holdfast_notifications_total\{channel="runs",result="sent"\} [1-9]/)
})
