import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

it('a link to a database that is looked after changes nothing, though it is found first, also after a restart', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  mkdirSync(file('t/d'), { recursive: true })
  mkdirSync(file('t/e'))
  makeDatabase(file('t/e/app.db'))
  const config = { repository, databases: [{ glob: file('t/*/*.db'), verify: false }] }
  const names = ({ agent }: RunningAgent) => agent.status().databases.map(({ name }) => name)
  const isFollowed = ({ agent }: RunningAgent) =>
    agent.status().databases.every(({ following }) => following?.state === 'following')
  for (const restart of [false, true]) {
    await using running = await RunningAgent.start(file('home'), config)
    await running.until('it is followed', () => isFollowed(running))
    if (!restart) {
      symlinkSync(file('t/e/app.db'), file('t/d/link.db'))
      await running.agent.reload()
    }
    assert.deepEqual(names(running), ['e-app'])
    assert.deepEqual(running.agent.status().gone, [])
    const told = running.lines.filter((line) => /link\.db is left alone: it is the same file as .*app\.db\./.test(line))
    assert.equal(told.length, 1)
  }
})
