import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const hour = 3_600_000

it('a folder that goes away takes no database out of care: that is told, they become overdue, and all is well when it is back', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  mkdirSync(file('tenants'))
  for (const name of ['acme', 'bolt', 'coop']) makeDatabase(file(`tenants/${name}.db`))
  const schedules = [{ type: 'full', every: 'daily' }]
  const databases = [{ glob: file('tenants/*.db'), follow: false, schedules, verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases })
  const { agent, clock } = running
  const keys = (): string[] => running.problems.map(({ key }) => key).sort()
  const backups = (): number => running.lines.filter((line) => / backup .*done/.test(line)).length
  await running.until('three backups', () => backups() === 3)

  renameSync(file('tenants'), file('unmounted'))
  await agent.reload()
  assert.deepEqual(keys(), [`missing/${encodeURIComponent(file('tenants/*.db'))}`])
  assert.match(running.problems[0]?.summary ?? '', /^3 databases of .* are gone since .*: its folder is gone\.$/)
  assert.deepEqual(
    agent.status().gone.map(({ name, expected }) => [name, expected]),
    [
      ['acme', true],
      ['bolt', true],
      ['coop', true],
    ],
  )
  await running.until(
    'they are overdue',
    () => keys().includes('overdue/coop'),
    () => clock.leap(6 * hour),
  )
  assert.equal(keys().length, 4)

  renameSync(file('unmounted'), file('tenants'))
  await agent.reload()
  assert.deepEqual(
    keys().filter((key) => key.startsWith('missing/')),
    [],
  )
  await running.until('what was missed is caught up', () => backups() === 6)

  rmSync(file('tenants/coop.db'))
  await agent.reload()
  assert.deepEqual(
    agent.status().gone.map(({ name, expected }) => [name, expected]),
    [['coop', false]],
  )
  assert.ok(running.lines.some((line) => /info +coop is not looked after any more/.test(line)))
})
