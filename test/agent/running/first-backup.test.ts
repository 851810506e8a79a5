import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'failure/backup/app/full'

it('the first backup of a database, which the agent makes by itself, alerts when it fails, and a scheduled one clears that', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  writeFileSync(file('refuse'), '')
  const databases = [
    {
      path: file('app.db'),
      follow: false,
      schedules: [{ id: 'whole', type: 'full', every: '1d' }],
      hooks: [{ before: 'backup', command: ['test', '!', '-e', file('refuse')] }],
      verify: false,
    },
  ]
  const config = { repository, databases, notify: [inbox.channel], repeatAlerts: '30d' }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  await running.until('it is told that the backup failed', () => inbox.has('firing', key))
  assert.match(inbox.last(key)?.summary ?? '', /^The full backup of app failed: /)
  assert.ok(running.problems.some((problem) => problem.key === key))
  assert.equal(running.agent.health().status, 'failing')
  rmSync(file('refuse'))
  await running.until(
    'it is told that it is over',
    () => inbox.has('recovered', key),
    () => running.agent.status().running.length === 0 && running.clock.leap(6 * 3_600_000),
  )
  assert.deepEqual(inbox.about(key), ['firing critical', 'recovered critical'])
})
