import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { writeState } from '../../src/agent/state/state-document.ts'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

it('status shows every database, though the repository cannot be asked about one of them', async (context) => {
  const cwd = await scratchFolder(context)
  mkdirSync(join(cwd, 't'))
  for (const name of ['good', 'bad']) makeDatabase(join(cwd, `t/${name}.db`))
  await cliOk(['init'], { cwd })
  // No repository takes such a name.
  const names = { [join(cwd, 't/bad.db')]: 'x'.repeat(107) }
  await writeState('names', { names }, join(cwd, 'state/agent/names.json'))
  writeConfig(cwd, { databases: [{ glob: 't/*.db', verify: false }] })
  const agent = new AgentProgram(context, cwd)
  await agent.line(/^Following good: /)
  const { last } = await cliJson('status', [], { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } })
  assert.equal(last.databases.length, 2)
  assert.equal(await agent.stop(), 0)
})
