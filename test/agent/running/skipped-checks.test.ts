import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const hour = 3_600_000

it('an agent notices that a hook skips all of its verifications, and that they are made again', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  writeFileSync(file('skip'), '')
  const running = stack.use(
    await RunningAgent.start(file('home'), {
      repository,
      databases: [
        { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '90d' }], verify: { every: '1d' } },
      ],
      hooks: [{ before: 'verify', command: `test ! -e '${file('skip')}' || exit 75` }],
      notify: [inbox.channel],
      repeatAlerts: '30d',
    }),
  )
  const key = 'overdue/app/verify'
  const onward = () => running.agent.status().running.length === 0 && running.clock.leap(3 * hour)
  await running.until('it is told', () => inbox.has('firing', key), onward)
  assert.match(inbox.last(key)?.hint ?? '', /whether a hook skips it/)
  rmSync(file('skip'))
  await running.until('it is over', () => inbox.has('recovered', key), onward)
  inbox.proves('its own verification is overdue', key)
  assert.deepEqual(new Set(inbox.all.map(({ key }) => key)), new Set([key]))
})
