import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'agent/replaced'

it('an agent tells that it replaced a worker that hung, and an hour later that no other had to be', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false }]
  const config = { repository, databases, concurrency: { workers: 1 }, notify: [inbox.channel] }
  await using running = await RunningAgent.start(file('home'), config)
  const { agent, clock } = running
  const isFollowed = () => agent.status().databases[0]?.following?.state === 'following'
  await running.until('it is followed', isFollowed)
  const [hung = assert.fail()] = agent.status().workers
  process.kill(hung, 'SIGSTOP')
  await running.until(
    'it is told',
    () => inbox.has('firing', key),
    () => clock.leap(30_000),
  )
  const { summary } = inbox.last(key) ?? assert.fail()
  assert.match(summary, new RegExp(`^Worker process ${hung} had not answered for 1\\d min.* and was ended; another`))
  await running.until(
    'another follows',
    () => isFollowed() && !agent.status().workers.includes(hung),
    () => clock.leap(1_000),
  )

  const replacedAt = clock.now()
  await running.until(
    'it is told that it is over',
    () => inbox.has('recovered', key),
    () => clock.leap(5 * 60_000),
  )
  assert.ok(clock.now() >= replacedAt + 55 * 60_000, 'not before an hour has gone by')
  assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
  await running.until(
    'all is well',
    () => agent.health().status === 'ok',
    () => clock.leap(30_000),
  )
})
