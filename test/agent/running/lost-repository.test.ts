import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const hour = 3_600_000

it('an agent whose repository is gone, as where its disk is not mounted, says so, does not take it for empty, and goes on when it is back', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  const config = {
    repository,
    databases: [
      { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '7d' }], overdueAfter: '1h' },
    ],
    notify: [inbox.channel],
    repeatAlerts: '30d',
  }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  await running.until('it is backed up', () => running.lines.some((line) => /backup \(full\) of app: done/.test(line)))
  const key = 'missing/repository'
  renameSync(repository, file('elsewhere'))
  mkdirSync(repository)
  await running.until(
    'it is told',
    () => inbox.has('firing', key),
    () => running.clock.leap(hour / 60),
  )
  assert.match(inbox.last(key)?.summary ?? '', /^The repository at file:.*backups is gone/)
  for (let times = 0; times < 5; times += 1) {
    running.clock.leap(hour)
    await running.until('a round was made', () => running.agent.health().status === 'failing')
  }
  rmSync(repository, { recursive: true })
  renameSync(file('elsewhere'), repository)
  await running.until(
    'it is over',
    () => inbox.has('recovered', key),
    () => running.clock.leap(hour / 60),
  )
  inbox.proves('the repository is gone', key)
  await running.until(
    'it looks at backups again',
    () => inbox.has('firing', 'overdue/app'),
    () => running.clock.leap(hour),
  )
  assert.ok(!inbox.all.some(({ summary }) => /There is no backup/.test(summary)))
})
