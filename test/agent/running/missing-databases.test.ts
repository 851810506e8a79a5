import assert from 'node:assert/strict'
import { mkdirSync, renameSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

it('an agent tells that the databases of a pattern are gone all at once, and that they are back', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  mkdirSync(file('tenants'))
  for (const name of ['acme', 'bolt', 'coop']) makeDatabase(file(`tenants/${name}.db`))
  const pattern = file('tenants/*.db')
  const databases = [{ glob: pattern, follow: false, schedules: [{ type: 'full', every: '30d' }], verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify: [inbox.channel] })
  const key = `missing/${encodeURIComponent(pattern)}`
  const round = () => running.clock.leap(30_000)
  const isBackedUp = () => running.agent.status().databases.every(({ lastBackupAt }) => lastBackupAt !== null)
  await running.until('all are backed up', isBackedUp, round)
  renameSync(file('tenants'), file('unmounted'))
  await running.until('it is told', () => inbox.has('firing', key), round)
  assert.match(inbox.last(key)?.summary ?? '', /^3 databases of .* are gone since .*: its folder is gone\.$/)
  renameSync(file('unmounted'), file('tenants'))
  await running.until('it is told that it is over', () => inbox.has('recovered', key), round)
  inbox.proves('databases are missing', key)
  assert.deepEqual(inbox.about(key), ['firing critical', 'recovered critical'])
})
