import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { stopProcess } from '../support/stop-process.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'agent/replaced'

/** An agent with one worker, which follows one database. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false }]
  const config = { repository, databases, concurrency: { workers: 1 }, notify: [inbox.channel] }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  const { agent } = running
  const isFollowed = () => agent.status().databases[0]?.following?.state === 'following'
  await running.until('it is followed', isFollowed)
  const [first = assert.fail()] = agent.status().workers
  const owned = stack.move()
  return { inbox, running, first, isFollowed, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

it('an agent tells that it replaced a worker that hung, and an hour later that no other had to be', async () => {
  await using all = await scene()
  const { inbox, running, first: hung, isFollowed } = all
  const { agent, clock } = running
  await stopProcess(hung)
  await running.until(
    'it is told',
    () => inbox.has('firing', key),
    () => clock.leap(30_000),
  )
  const { summary } = inbox.last(key) ?? assert.fail()
  assert.match(
    summary,
    new RegExp(`^Worker process ${hung} had not answered for \\d+ (min|h).* and was ended; another`),
  )
  await running.until(
    'another follows',
    () => isFollowed() && !agent.status().workers.includes(hung),
    () => clock.leap(1_000),
  )

  const replacedAt = clock.now()
  await running.until(
    'it is told that it is over',
    () => inbox.has('recovered', key),
    () => clock.leap(5 * 60_000),
  )
  assert.ok(clock.now() >= replacedAt + 55 * 60_000, 'not before an hour has gone by')
  inbox.proves('a worker was replaced', key)
  assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
  await running.until(
    'all is well',
    () => agent.health().status === 'ok',
    () => clock.leap(30_000),
  )
})

it('an agent tells that a worker is silent which it gives more time, and that it answers again', async () => {
  const silent = 'agent/silent'
  await using all = await scene()
  const { inbox, running, first, isFollowed } = all
  const { agent, clock } = running
  const next = () => clock.leap(30_000)
  // After one was replaced, the next has twice as long.
  await stopProcess(first)
  await running.until('one is replaced', () => inbox.has('firing', key), next)
  await running.until(
    'another follows',
    () => isFollowed() && !agent.status().workers.includes(first),
    () => clock.leap(1_000),
  )
  const isSilent = () => running.problems.some((problem) => problem.key === silent)
  await running.until('none is silent', () => !isSilent() && !inbox.has('firing', silent))
  const before = inbox.about(silent).length
  const [second = assert.fail()] = agent.status().workers
  await stopProcess(second)
  await running.until(
    'it is told',
    () => inbox.has('firing', silent),
    // No longer, or it would be replaced too.
    () => isSilent() || next(),
  )
  process.kill(second, 'SIGCONT')
  assert.match(inbox.last(silent)?.summary ?? '', new RegExp(`^Worker process ${second} has not answered for 1\\d min`))
  await running.until(
    'it is told that it is over',
    () => inbox.has('recovered', silent),
    () => clock.leap(1_000),
  )
  inbox.proves('a worker is silent', silent)
  assert.deepEqual(inbox.about(silent).slice(before), ['firing critical', 'recovered critical'])
  assert.deepEqual(agent.status().workers, [second])
})
