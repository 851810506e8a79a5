import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { it } from 'node:test'
import { AgentProgram, writeConfig } from '../../cli/support/agent.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'agent/killed'
const minute = 60_000

it('an agent tells that it was killed before, and that it has run for an hour since; a stop in order is nothing to tell', async (context) => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  mkdirSync(file('home'))
  const schedules = [{ type: 'full', every: '30d' }]
  const databases = [{ path: file('app.db'), follow: false, schedules, verify: false }]
  const config = { repository, databases, notify: [inbox.channel] }
  writeConfig(file('home'), config)
  const killed = new AgentProgram(context, file('home'))
  await killed.line(/^The agent runs/)
  await killed.kill()
  {
    await using running = await RunningAgent.start(file('home'), config)
    await running.until('it is told', () => inbox.has('firing', key))
    assert.match(
      inbox.last(key)?.summary ?? '',
      /^The agent did not stop in order: it started at .*, was last seen at /,
    )
    const toldAt = running.clock.now()
    await running.until(
      'it is told that it is over',
      () => inbox.has('recovered', key),
      () => running.clock.leap(5 * minute),
    )
    assert.ok(running.clock.now() - toldAt >= 55 * minute, 'not before an hour has gone by')
  }
  inbox.proves('the agent was killed', key)
  const told = inbox.all.length
  await using again = await RunningAgent.start(file('home'), config)
  await again.until('it runs', () => again.agent.status().databases.length === 1)
  assert.equal(inbox.all.length, told)
})
