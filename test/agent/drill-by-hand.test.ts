import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { cli, cliOk } from '../cli/support/cli.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { AlertInbox } from './running/support/alert-inbox.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const minute = 60_000

it('an agent tells of a drill and a verification that failed by hand, without being asked, and that they went well again', async () => {
  await using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const options = { cwd: place.path, env: { XDG_STATE_HOME: file('xdg') } }
  const asked = ['--repository', repository]
  await cliOk(['backup', 'app.db', ...asked], options)
  const databases = [
    { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '30d' }], verify: false },
  ]
  // Its journal is the one of the commands.
  await using agent = await RunningAgent.start(file('xdg/holdfast'), {
    repository,
    databases,
    notify: [inbox.channel],
  })
  const isTold = () => agent.problems.some(({ key }) => key === 'drill/app')
  const look = () => agent.clock.hurry(minute)
  assert.ok(!isTold())
  const drill = (assertion: string) => cli(['drill', 'app', '--assert', assertion, ...asked], options)
  assert.equal((await drill('SELECT count(*) < 0 FROM users')).code, 5)
  await agent.until('the drill is told of', isTold, look)
  const { summary, severity } = agent.problems.find(({ key }) => key === 'drill/app') ?? assert.fail()
  assert.match(summary, /^The restore drill of app failed: /)
  assert.equal(severity, 'critical')
  assert.equal((await drill('SELECT count(*) >= 0 FROM users')).code, 0)
  await agent.until('the drill is over', () => !isTold(), look)
  await agent.until('that is told', () => inbox.has('recovered', 'drill/app'), look)
  inbox.proves('a drill by hand fails', 'drill/app')

  const folder = file('backups/databases/app/segments')
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name))
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(join(folder, name), bytes)
  }
  assert.equal((await cli(['verify', ...asked], options)).code, 5)
  await agent.until('damage is told of', () => agent.problems.some(({ key }) => key === 'verify/app'), look)
})
