import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { AlertInbox } from './running/support/alert-inbox.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const minute = 60_000
const key = 'spool/app'

it('an agent tells that commits fill their spool while the repository is away, and that there is room again', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
  const insert = application.prepare('INSERT INTO orders (user, note) VALUES (1, ?)')
  const follow = { syncInterval: '100ms', spoolLimit: '256KiB' }
  const databases = [{ path: file('app.db'), follow, schedules: [], verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify: [inbox.channel] })
  const { agent, clock } = running
  const following = () => agent.status().databases[0]?.following
  await running.until('it is followed', () => following()?.durableLsn === 1)

  renameSync(file('backups'), file('away'))
  writeFileSync(file('backups'), 'This is no folder.')
  await running.until(
    'it is told that the spool is full',
    () => inbox.last(key)?.severity === 'critical',
    () => {
      insert.run(randomBytes(16_384))
      clock.hurry(minute)
    },
  )
  assert.match(inbox.last(key)?.summary ?? '', /^The spool of app is full: .* of 256 KiB wait for the repository/)
  assert.equal(agent.health().status, 'failing')

  rmSync(file('backups'))
  renameSync(file('away'), file('backups'))
  await running.until(
    'all is uploaded',
    () => following()?.waitingBytes === 0,
    () => clock.hurry(minute),
  )
  await running.until(
    'it is told that it is over',
    () => inbox.has('recovered', key),
    () => clock.leap(minute),
  )
  inbox.proves('the spool is full', key)
  const told = inbox.about(key)
  assert.deepEqual([told.at(-2), told.at(-1)], ['firing critical', 'recovered critical'])
  await running.until(
    'all is well',
    () => agent.health().status === 'ok',
    () => clock.leap(minute),
  )
})
