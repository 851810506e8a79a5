import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

it('an agent leaves alone what is no database, says so once however often it looks, and takes it in when it becomes one', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  mkdirSync(file('tenants'))
  makeDatabase(file('tenants/acme.db'))
  writeFileSync(file('tenants/notes.db'), 'Remember the milk.\n'.repeat(100))
  writeFileSync(file('tenants/new.db'), '')
  mkdirSync(file('tenants/folder.db'))
  const schedules = [{ type: 'full', every: '1d' }]
  const databases = [{ glob: file('tenants/*.db'), follow: false, schedules, verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases })
  const { agent, clock } = running
  const names = () => agent.status().databases.map(({ name }) => name)
  const about = (name: string) => running.lines.filter((line) => line.includes(`tenants/${name}.db is left alone`))
  /** The agent looks again, which shows by what it finds. */
  const scan = async (name: string): Promise<void> => {
    makeDatabase(file(`tenants/${name}.db`))
    await running.until(
      `${name} was found`,
      () => names().includes(name),
      () => clock.hurry(30_000),
    )
  }
  for (const name of ['bolt', 'coop', 'dune']) await scan(name)
  await agent.reload()
  assert.match(about('notes').join('\n'), /^\S+ info +\S+notes\.db is left alone: it is no SQLite database\.$/)
  assert.match(about('new').join('\n'), /^\S+ info +\S+new\.db is left alone: it is empty, so far\.$/)
  assert.match(about('folder').join('\n'), /^\S+ info +\S+folder\.db is left alone: it is no file\.$/)

  await scan('new')
  assert.deepEqual(names().sort(), ['acme', 'bolt', 'coop', 'dune', 'new'])
  assert.equal(about('notes').length, 1)
  assert.deepEqual(agent.health().problems, [])
})
