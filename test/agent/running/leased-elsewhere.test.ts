import assert from 'node:assert/strict'
import { it } from 'node:test'
import { statusText } from '../../../src/cli/present/status.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

it('two databases that somebody else works on, who cannot be asked, keep no third from its backup, and are seen to wait', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file, opened } = stack.use(await agentPlace())
  const names = ['held', 'leased', 'free']
  for (const name of names) makeDatabase(file(`${name}.db`))
  const lease = stack.use(await Lease.acquire(opened.database('held'), { purpose: 'follow' }))
  stack.use(await Lease.acquire(opened.database('leased'), { purpose: 'follow' }))
  const databases = names.map((name) => ({
    path: file(`${name}.db`),
    follow: false,
    schedules: [{ id: 'whole', type: 'full', every: '1d' }],
    verify: false,
  }))
  const config = { repository, databases, concurrency: { operations: 1 } }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  const { agent, clock } = running
  const backedUp = (name: string) => agent.status().databases.find((each) => each.name === name)?.lastBackupAt !== null
  const waiting = () => {
    const held = agent.status().running.filter((each) => each.waiting !== null)
    return held.toSorted((one, other) => (one.database ?? '').localeCompare(other.database ?? ''))
  }

  await running.until('the third is backed up, and the others wait', () => backedUp('free') && waiting().length === 2)
  assert.deepEqual(
    waiting().map(({ database, kind, type }) => [database, kind, type]),
    [
      ['held', 'backup', 'full'],
      ['leased', 'backup', 'full'],
    ],
  )
  for (const { waiting: reason, database } of waiting())
    assert.match(
      reason ?? '',
      new RegExp(`^Another process works on ${database}: follow by process ${process.pid} on `),
    )
  assert.ok(running.lines.some((line) => / info +backup \(full\) of held: waits\. Another process works on/.test(line)))

  const text = statusText(agent.status(), clock.now())
  assert.match(
    text,
    /^Waiting: backup full of held, for .+\. Another process works on held: follow by process \d+ on /m,
  )
  assert.doesNotMatch(text, /^Running: /m)

  await lease[Symbol.asyncDispose]()
  await running.until(
    'what was let go is backed up',
    () => backedUp('held'),
    () => clock.hurry(2_000),
  )
  await running.until(
    'the other has failed',
    () => running.problems.some(({ key }) => key === 'failure/backup/leased/full'),
    () => clock.hurry(30_000),
  )
  const [problem = assert.fail()] = running.problems
  assert.match(
    problem.summary,
    new RegExp(`follow by process ${process.pid} on .*, since .*It did not let go for 10 min`),
  )
})
