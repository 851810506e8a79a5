import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'

it('"schedule run" says that the agent ended in the middle of it, and does not pass over to doing it itself', async (context) => {
  const cwd = await scratchFolder(context)
  const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } }
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], options)
  await cliOk(['backup', 'app.db'], options)
  const hooks = [{ before: 'verify', command: 'test -e begun || { touch begun; kill -9 $(cat agent); }' }]
  const schedules = [
    { type: 'full', every: 'yearly' },
    { id: 'check', type: 'verify', every: 'yearly' },
  ]
  writeConfig(cwd, { databases: [{ path: 'app.db', follow: false, schedules, hooks }] })
  const agent = new AgentProgram(context, cwd)
  await agent.line(/^The agent runs/)
  writeFileSync(join(cwd, 'agent'), String(agent.pid))
  const { code, stderr } = await cli(['schedule', 'run', 'app', 'check'], options)
  assert.match(stderr, /The process that was asked has ended\./)
  assert.doesNotMatch(stderr, /No agent runs/)
  assert.notEqual(code, 0)
  const again = await cliOk(['schedule', 'run', 'app', 'check'], options)
  assert.match(again.stderr, /No agent runs/)
})
