import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { stringify } from 'yaml'
import { cliOk } from '../../cli/support/cli.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const minute = 60_000
const failure = (name: string) => `failure/backup/${name}/full`

it('a failed backup is over for an agent when one was made by hand', async () => {
  await using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const options = { cwd: place.path, env: { XDG_STATE_HOME: file('xdg') } }
  const databases = [{ path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '30d' }] }]
  const hooks = [{ before: 'backup', command: ['false'] }]
  // Its journal is the one of the commands.
  const config = { repository, databases, hooks, notify: [inbox.channel] }
  await using running = await RunningAgent.start(file('xdg/holdfast'), config)
  const look = () => running.clock.hurry(minute)
  await running.until('it is told', () => inbox.has('firing', failure('app')), look)
  assert.equal(running.agent.health().status, 'failing')
  await cliOk(['backup', 'app.db', '--repository', repository], options)
  await running.until('it is over', () => inbox.has('recovered', failure('app')), look)
  assert.equal(running.agent.health().status, 'ok')
})

it('what failed is over when the configuration does not ask for it any more, and whoever was told is told why', async () => {
  await using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  for (const name of ['other', 'dropped', 'later', 'stays']) makeDatabase(file(`${name}.db`))
  const database = (name: string, id = 'first') => {
    return { path: file(`${name}.db`), follow: false, schedules: [{ id, type: 'full', every: '30d' }] }
  }
  const home = file('home')
  const config = (...databases: readonly object[]) => ({
    repository,
    databases,
    hooks: [{ before: 'backup', command: ['test', '!', '-e', file('refuse')] }],
    notify: [inbox.channel],
  })
  writeFileSync(file('refuse'), '')
  const told = (state: 'firing' | 'recovered', ...names: readonly string[]) =>
    names.every((name) => inbox.has(state, failure(name)))
  {
    const all = ['other', 'dropped', 'later', 'stays'] as const
    await using running = await RunningAgent.start(home, config(...all.map((name) => database(name))))
    await running.until('all failed', () => told('firing', ...all))
    rmSync(file('refuse'))
    const changed = config(database('other', 'second'), database('later'), database('stays'))
    writeFileSync(`${home}/holdfast.yaml`, stringify({ stateFolder: `${home}/state`, ...changed }))
    await running.agent.reload()
    await running.until('two are over', () => told('recovered', 'other', 'dropped'))
    assert.match(inbox.last(failure('dropped'))?.summary ?? '', /^dropped is no longer looked after\. Before that: /)
    assert.match(inbox.last(failure('other'))?.summary ?? '', /^The schedule "first" of other is not in the conf/)
    assert.ok(told('firing', 'later', 'stays'))
  }
  await using running = await RunningAgent.start(home, config(database('stays')))
  await running.until('one more is over', () => told('recovered', 'later'))
  assert.match(inbox.last(failure('later'))?.summary ?? '', /^later is no longer looked after\. Before that: /)
})
