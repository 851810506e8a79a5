import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

it('an agent lives through a clock that jumps a year ahead and a day back, and a night that its machine slept', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  makeDatabase(file('live.db'))
  makeDatabase(file('still.db'))
  using application = new DatabaseSync(file('live.db'), { timeout: 5000 })
  const databases = [
    { path: file('live.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false },
    { path: file('still.db'), follow: false, schedules: [{ type: 'full', every: 'daily' }], verify: false },
  ]
  await using running = await RunningAgent.start(file('home'), { repository, databases })
  const { agent, clock } = running
  const backups = (): number => running.lines.filter((line) => /backup \(full\) of still: done/.test(line)).length
  const round = () => clock.hurry(minute)
  const severalRounds = async (): Promise<void> => {
    for (let times = 0; times < 10; times += 1) {
      round()
      await sleep(50)
    }
  }
  let lsn = 1
  const followsOn = async (): Promise<void> => {
    lsn += 1
    application.exec("INSERT INTO users (name) VALUES ('one more')")
    const wanted = lsn
    await running.until(
      `LSN ${wanted} is kept`,
      () => {
        const live = agent.status().databases.find(({ name }) => name === 'live')?.following
        return live?.state === 'following' && live.durableLsn >= wanted
      },
      round,
    )
  }
  await running.until('it is followed', () => agent.status().databases[0]?.following?.durableLsn === 1)
  await running.until('the first backup', () => backups() === 1)
  const { workers } = agent.status()
  await followsOn()

  clock.jump(365 * day)
  await running.until('what was missed in a year is caught up', () => backups() === 2, round)
  await followsOn()
  await severalRounds()
  assert.equal(backups(), 2, 'once')

  clock.jump(-day)
  await followsOn()
  await severalRounds()
  assert.equal(backups(), 2, 'what was done is not done again')

  clock.jump(8 * hour)
  await followsOn()
  await running.until(
    'the schedule goes on',
    () => backups() >= 3,
    () => clock.leap(hour),
  )
  assert.deepEqual(agent.status().workers, workers, 'no worker was thought to hang')
  const bad = running.problems.filter(({ key }) => !key.startsWith('overdue/'))
  assert.deepEqual(bad, [])
})
