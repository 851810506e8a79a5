import assert from 'node:assert/strict'
import { it } from 'node:test'
import { knownLease } from '../../src/repository/known-lease.ts'
import { cliOk } from '../cli/support/cli.ts'
import { makeDatabase } from '../cli/support/database.ts'
import { FollowerProgram } from '../cli/support/follower.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const minute = 60_000

it('an agent does not call overdue what another process follows and in which nothing happens, until that one is gone', async (context) => {
  await using place = await agentPlace()
  const { repository, opened, file } = place
  for (const name of ['app', 'alone']) {
    makeDatabase(file(`${name}.db`))
    await cliOk(['backup', file(`${name}.db`), '--repository', repository])
  }
  const databases = ['app', 'alone'].map((name) => ({
    path: file(`${name}.db`),
    follow: false,
    schedules: [{ type: 'full', every: '30d' }],
    overdueAfter: '10m',
  }))
  const follower = new FollowerProgram(context, place.path, [file('app.db'), '--repository', repository])
  await follower.event('started')
  await using second = await RunningAgent.start(file('second'), { repository, databases })
  const isOverdue = (name: string): boolean => second.problems.some(({ key }) => key === `overdue/${name}`)
  const look = () => second.clock.hurry(minute)

  const covered = async () => (await knownLease(opened.database('app')))?.document.coveredAt
  while ((await covered()) === undefined) await follower.event('started')
  second.clock.leap(20 * minute)
  // What one round saw is told together.
  await second.until('nobody follows the other', () => isOverdue('alone'), look)
  assert.ok(!isOverdue('app'), JSON.stringify(second.problems))
  await follower.kill()
  second.clock.leap(20 * minute)
  await second.until('nobody follows it', () => isOverdue('app'), look)
  const problem = second.problems.find(({ key }) => key === 'overdue/app')
  assert.match(problem?.summary ?? '', /^The newest state of app in the repository is .* old/)
})
