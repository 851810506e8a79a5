import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { it } from 'node:test'
import { leaseState } from '../../src/repository/lease.ts'
import { AgentProgram, writeConfig } from '../cli/support/agent.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { processEnd } from './support/process-end.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

it('an agent that was killed lets go, when it is back, of what its owner deleted meanwhile', async (context) => {
  await using place = await agentPlace()
  const { repository, file, opened } = place
  mkdirSync(file('tenants'))
  for (const name of ['acme', 'bolt', 'coop', 'deli']) makeDatabase(file(`tenants/${name}.db`))
  const databases = [{ glob: file('tenants/*.db'), schedules: [], verify: false }]
  writeConfig(file(''), { repository, databases })
  const first = new AgentProgram(context, file(''))
  for (const name of ['acme', 'bolt', 'coop', 'deli']) await first.line(new RegExp(`^Following ${name}`))
  // Workers that learn of the agent's end would let go by themselves.
  const workers = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').split(' ').filter(Boolean)
  assert.notEqual(workers.length, 0)
  for (const pid of [first.pid, ...workers.map(Number)]) process.kill(pid, 'SIGKILL')
  for (const pid of workers) await processEnd(pid)
  await first.kill()
  rmSync(file('tenants/coop.db'))
  const isReleased = async (name: string) => (await leaseState(opened.database(name)))?.document.released
  assert.equal(await isReleased('coop'), false)
  await using second = await RunningAgent.start(file(''), { repository, databases })
  await second.until(
    'it lets go',
    () => second.lines.some((line) => line.includes('What a former run had not let go of is free now: coop.')),
    () => second.clock.leap(3_600_000),
  )
  assert.equal(await isReleased('coop'), true)
  assert.equal(await isReleased('acme'), false)
})
