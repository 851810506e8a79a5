/** Two agents on one repository: they do not get into each other's way, and neither speaks ill of the other while it lives. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { cliJson } from '../cli/support/json-lines.ts'
import { contents } from '../maintenance/mirror/support/mirrored-history.ts'
import { LeapClock } from './support/leap-clock.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const hour = 3_600_000
const follow = { syncInterval: '100ms' }

it('agents with other databases work beside each other, leave alone what is not theirs, and call it overdue only when it is', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file, opened } = stack.use(await agentPlace())
  const clock = new LeapClock()
  const start = async (name: string, more: object) => {
    mkdirSync(file(name))
    const paths = [file(`${name}/${name}-live.db`), file(`${name}/${name}-still.db`)] as const
    for (const path of paths) makeDatabase(path)
    const application = stack.use(new DatabaseSync(paths[0], { timeout: 5000 }))
    const daily = [{ id: 'whole', type: 'full', every: '1d' }]
    const databases = [
      { path: paths[0], follow, schedules: [], verify: false },
      // Backups are dated by the machine's clock, which does not leap.
      { path: paths[1], follow: false, schedules: daily, verify: false, overdueAfter: '30d', ...more },
    ]
    const running = stack.use(await RunningAgent.start(file(name), { repository, databases }, { clock }))
    const durable = () => running.agent.status().databases[0]?.following?.durableLsn
    return { name, running, application, durable }
  }
  const retention = {
    retention: { last: 1, window: '1s', grace: '1s' },
    expire: { every: '6h' },
    compact: { every: '6h' },
  }
  const ours = await start('ours', retention)
  const theirs = await start('theirs', {})
  const both = [ours, theirs]
  const backups = async (name: string) => (await opened.database(`${name}-still`).catalog()).backups.length
  const onward = () => both.every(({ running }) => running.agent.status().running.length === 0) && clock.leap(hour)
  for (const { application, durable, running } of both) {
    await running.until('it is followed', () => durable() === 1)
    application.exec("INSERT INTO users (name) VALUES ('more')")
    await running.until('a commit is kept', () => durable() === 2)
    await running.until('the first backup', () => running.lines.some((line) => /backup \(full\) .*: done/.test(line)))
    const hasToldWhat = () => running.lines.some((line) => line.includes('What is expected of this agent was written'))
    await running.until('it is written down', hasToldWhat, onward)
  }
  const { last } = await cliJson('agents', ['--repository', repository], { cwd: file('') })
  assert.deepEqual(last.agents.map(({ config }) => config).sort(), [
    file('ours/holdfast.yaml'),
    file('theirs/holdfast.yaml'),
  ])
  assert.deepEqual(last.overdue, [])

  const told: string[] = []
  const liveOn = async (hours: number): Promise<void> => {
    for (let lived = 0; lived < hours; lived += 6) {
      const end = clock.now() + 6 * hour
      await ours.running.until(
        'time goes by',
        () => clock.now() >= end,
        () => {
          onward()
          for (const { name, running } of both) told.push(...running.problems.map(({ key }) => `${name}: ${key}`))
        },
      )
    }
  }
  const before = await theirObjects(opened.storage)
  assert.ok(before.size >= 4)
  await liveOn(3 * 24 + 12)
  assert.deepEqual(told, [])
  const after = await theirObjects(opened.storage)
  for (const [key, hash] of before) assert.equal(after.get(key), hash, key)
  assert.ok(after.size > before.size)
  assert.ok((await backups('theirs')) >= 4, 'nobody lets theirs expire')
  assert.ok((await backups('ours')) <= 2)
  for (const what of ['expire', 'compact'])
    assert.ok(ours.running.lines.some((line) => new RegExp(`${what} of ours-still: done`).test(line)))
  for (const { application, durable, running } of both) {
    application.exec("INSERT INTO users (name) VALUES ('still more')")
    await running.until('a commit is kept', () => durable() === 3)
  }

  await theirs.running.agent.stop()
  const overdue = () => ours.running.problems.find(({ key }) => key === 'overdue/theirs-live')
  await ours.running.until('theirs is overdue', () => overdue() !== undefined, onward)
  assert.match(overdue()?.summary ?? '', /^Nobody follows theirs-live any more: that is expected of the agent on /)
})

/** Leases and what a database's owner replaces left out. */
async function theirObjects(storage: Parameters<typeof contents>[0]): Promise<Map<string, string>> {
  const all = await contents(storage)
  return new Map([...all].filter(([key]) => /^databases\/theirs-\w+\/(segments|backups|gaps)\//.test(key)))
}

it('of two agents with the same database one follows it; the other says so, waits, and takes over without a gap', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file, opened } = stack.use(await agentPlace())
  makeDatabase(file('app.db'))
  using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
  const databases = [{ path: file('app.db'), follow, schedules: [], verify: false }]
  const start = async (name: string) =>
    stack.use(await RunningAgent.start(file(name), { repository, databases }, { clock: new LeapClock() }))
  const following = ({ agent }: RunningAgent) => agent.status().databases[0]?.following
  const first = await start('first')
  await first.until('it is followed', () => following(first)?.durableLsn === 1)
  const second = await start('second')
  const refused = /Following app failed, and will be tried again\. Another process works on app/
  const saysSo = () => second.lines.filter((line) => refused.test(line) && line.includes(' error '))
  const tries = () => second.lines.filter((line) => refused.test(line)).length
  await second.until(
    'it has asked again and again',
    () => tries() >= 4,
    () => second.clock.leap(10_000),
  )
  assert.equal(saysSo().length, 1, 'once')
  assert.equal(following(second)?.state, 'waiting')
  assert.equal(following(first)?.state, 'following')
  const isTold = () => second.problems.some(({ key }) => key === 'failure/follow/app/')
  assert.ok(isTold())
  application.exec("INSERT INTO users (name) VALUES ('one')")
  await first.until('a commit is kept', () => following(first)?.durableLsn === 2)
  assert.deepEqual(first.problems, [])

  await first.agent.stop()
  await second.until(
    'it takes over',
    () => following(second)?.state === 'following',
    () => second.clock.leap(10_000),
  )
  application.exec("INSERT INTO users (name) VALUES ('two')")
  await second.until('a commit is kept', () => following(second)?.durableLsn === 3)
  assert.ok(!isTold())
  const { gaps, segments } = await opened.database('app').catalog()
  assert.deepEqual(
    gaps.filter(({ fromLsn }) => fromLsn > 0),
    [],
  )
  assert.deepEqual(new Set(segments.filter(({ kind }) => kind === 'log').map(({ to }) => to)), new Set([2, 3]))
})
