import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'
import { stopProcess } from './support/stop-process.ts'

it('a worker that hangs is ended after ten minutes, told of, and another goes on with its databases, without a gap', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  // The last connection that is closed would delete the log.
  using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false }]
  await using running = await RunningAgent.start(file('home'), { repository, databases, concurrency: { workers: 1 } })
  const { agent, clock } = running
  const following = () => agent.status().databases[0]?.following
  const isDurable = (lsn: number) => following()?.state === 'following' && following()?.durableLsn === lsn
  await running.until('it is followed', () => isDurable(1))
  application.exec("INSERT INTO users (name) VALUES ('one')")
  await running.until('the first commit is kept', () => isDurable(2))
  const [hung = assert.fail()] = agent.status().workers
  await stopProcess(hung)
  application.exec("INSERT INTO users (name) VALUES ('two')")
  const hasLine = (fits: RegExp) => running.lines.some((line) => fits.test(line))
  const told = new RegExp(`Worker process ${hung} had not answered for 10 min.* and was ended`)
  const before = running.lines.length
  await running.until(
    'it is ended',
    () => hasLine(told),
    () => clock.leap(30_000),
  )
  assert.ok(running.problems.some(({ key }) => key === 'agent/replaced'))
  await running.until(
    'another goes on',
    () => isDurable(3),
    () => clock.leap(1_000),
  )
  assert.notEqual(agent.status().workers[0], hung)
  assert.ok(hasLine(/Following app: .*(no commit missing|unchanged)/))
  const loud = running.lines.slice(before).filter((line) => / (warn|error) /.test(line))
  assert.equal(loud.length, 1, `It is told once, not so: ${loud.join('\n')}`)
  assert.deepEqual(
    running.problems.map(({ key }) => key),
    ['agent/replaced'],
  )
  assert.match((await agent.renderMetrics()).body, /^holdfast_workers_replaced_total 1$/m)
  const { gaps } = await place.opened.database('app').catalog()
  assert.deepEqual(
    gaps.filter(({ fromLsn }) => fromLsn > 0),
    [],
  )
})
