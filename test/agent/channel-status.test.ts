import assert from 'node:assert/strict'
import { it } from 'node:test'
import { statusText } from '../../src/cli/present/status.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

it('the status of an agent calls no channel ready that was never tried', async () => {
  await using place = await agentPlace()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const schedules = [{ id: 'often', type: 'full', every: '1s' }]
  const hooks = [{ before: 'backup', command: 'exit 1' }]
  const databases = [{ path: file('app.db'), follow: false, schedules, hooks, verify: false }]
  const notify = [
    { command: 'true', name: 'pager' },
    { command: 'true', name: 'quiet', on: ['gap'] },
  ]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify })
  const { agent, clock } = running
  const told = () =>
    agent.status().channels.map(({ name, lastSentAt, problem }) => [name, lastSentAt !== null, problem])
  await running.until(
    'a failure was told',
    () => agent.status().channels.some(({ lastSentAt }) => lastSentAt !== null),
    () => clock.leap(1_000),
  )
  assert.deepEqual(told(), [
    ['pager', true, null],
    ['quiet', false, null],
  ])
  const { lastSentAt } = agent.status().channels[0] ?? assert.fail()
  await agent.reload()
  const [reloaded] = agent.status().channels
  assert.ok(
    reloaded?.lastSentAt !== null && (reloaded?.lastSentAt ?? '') >= (lastSentAt ?? ''),
    'a reload forgets nothing',
  )
  const text = statusText(agent.status(), clock.now())
  assert.match(text, /^Notifies pager \(command, .*\): last sent .* ago\.$/m)
  assert.match(text, /^Notifies quiet \(command, .*\): not tried yet\.$/m)
})
