import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { it } from 'node:test'
import { AgentProgram, writeConfig } from '../cli/support/agent.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { AlertInbox } from './running/support/alert-inbox.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

it('an agent notices by its schedules that another was killed for good, and that its backups come again', async (context) => {
  await using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  for (const name of ['theirs', 'ours']) {
    mkdirSync(file(name))
    makeDatabase(file(`${name}/${name}.db`))
  }
  const schedules = [{ type: 'incremental', every: '1s' }]
  const theirs = { path: file('theirs/theirs.db'), follow: false, schedules, overdueAfter: '5s' }
  writeConfig(file('theirs'), { repository, databases: [theirs] })
  const first = new AgentProgram(context, file('theirs'))
  await first.line(/^backup \(incremental\) of theirs: done/)
  await first.line(/^What is expected of this agent was written down/)
  await first.kill()

  const ours = { path: file('ours/ours.db'), follow: false, schedules: [{ type: 'full', every: 'daily' }] }
  await using second = await RunningAgent.start(file('ours'), {
    repository,
    databases: [ours],
    notify: [inbox.channel],
  })
  const overdue = () => second.problems.filter(({ key }) => key === 'overdue/theirs')
  /** Others are looked after once an hour, and when the configuration was read anew. */
  const look = async (): Promise<void> => {
    await second.agent.reload()
    second.clock.hurry(60_000)
  }
  await second.until('theirs is overdue', () => overdue().length > 0, look)
  assert.match(
    overdue()[0]?.summary ?? '',
    /^The newest state of theirs .*; the agent on \S+ should never let it be older than 5/,
  )

  const third = new AgentProgram(context, file('theirs'))
  await third.line(/^backup \(incremental\) of theirs: done/)
  await second.until('theirs is not overdue any more', () => overdue().length === 0, look)
  await second.until('that is told', () => inbox.has('recovered', 'overdue/theirs'))
  inbox.proves('the work of another agent is overdue', 'overdue/theirs')
})
