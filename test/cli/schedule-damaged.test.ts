import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'

it('a schedule of a database that an agent found, and that is damaged now, fails for that reason', async (context) => {
  const cwd = await scratchFolder(context)
  mkdirSync(join(cwd, 't'))
  makeDatabase(join(cwd, 't/app.db'))
  await cliOk(['init'], { cwd })
  const schedules = [{ id: 'nightly', type: 'full', every: 'daily' }]
  writeConfig(cwd, { databases: [{ glob: 't/*.db', follow: false, schedules, verify: false }] })
  const agent = new AgentProgram(context, cwd)
  await agent.line(/^The agent runs/)
  await agent.stop()
  writeFileSync(join(cwd, 't/app.db'), 'Remember the milk.\n'.repeat(100))
  const { code, stderr } = await cli(['schedule', 'run', 'app', 'nightly'], { cwd })
  assert.equal(code, 1)
  assert.match(stderr, /app\.db is not a SQLite database/)
})
