import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const minute = 60_000

it('an agent tells that commits fill their spool while the repository is away, and that there is room again', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
  const insert = application.prepare('INSERT INTO orders (user, note) VALUES (1, ?)')
  const follow = { syncInterval: '100ms', spoolLimit: '256KiB' }
  const databases = [{ path: file('app.db'), follow, schedules: [], verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases })
  const { agent, clock } = running
  const following = () => agent.status().databases[0]?.following
  const isFiring = (): boolean => running.problems.some(({ key }) => key === 'spool/app')
  await running.until('it is followed', () => following()?.durableLsn === 1)

  renameSync(file('backups'), file('away'))
  writeFileSync(file('backups'), 'This is no folder.')
  await running.until('the spool fills', isFiring, () => {
    insert.run(randomBytes(16_384))
    clock.hurry(minute)
  })
  assert.match(running.problems.find(({ key }) => key === 'spool/app')?.summary ?? '', /^The spool of app is .*full/)

  rmSync(file('backups'))
  renameSync(file('away'), file('backups'))
  await running.until(
    'all is uploaded',
    () => following()?.waitingBytes === 0,
    () => clock.hurry(minute),
  )
  await running.until(
    'that is told',
    () => !isFiring(),
    () => clock.leap(minute),
  )
  assert.ok(running.lines.some((line) => /info +Over: The spool of app/.test(line)))
})
