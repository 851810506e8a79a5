import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { samplesOf } from './support/samples.ts'

const minute = 60_000
const newestState = 'holdfast_newest_state_timestamp_seconds{database="app"}'
const windowEnd = 'holdfast_restorable_window_end_timestamp_seconds{database="app"}'

async function scene(more: object) {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await agentPlace())
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [{ path: file('app.db'), schedules: [], verify: false, ...more }]
  const notify = [{ name: 'pager', command: 'true' }, { heartbeat: 'http://127.0.0.1:9/ping' }]
  const running = stack.use(await RunningAgent.start(file('home'), { repository, databases, notify }))
  const owned = stack.move()
  return {
    file,
    running,
    measured: async () => samplesOf((await running.agent.renderMetrics()).body),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe('the metrics of a running agent', () => {
  it('do not call the state of a followed database new that has been away since', async () => {
    await using all = await scene({ follow: { syncInterval: '100ms' } })
    const { file, running, measured } = all
    const following = () => running.agent.status().databases[0]?.following
    const isAway = () => running.problems.some(({ key }) => key === 'failure/follow/app/reading')
    await running.until('it is followed', () => following()?.state === 'following')
    const samples = await measured()
    assert.equal(samples.get('holdfast_gaps_total{database="app"}'), 0)
    assert.equal(samples.get('holdfast_notifications_total{channel="pager",result="failed"}'), 0)
    {
      using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
      application.exec("INSERT INTO users (name) VALUES ('one more')")
      await running.until('that is in the repository', () => following()?.durableLsn === 2)
      let end: number | undefined
      await running.until(
        'there is a window',
        () => end !== undefined,
        async () => {
          end = (await measured()).get(windowEnd)
        },
      )
      running.clock.leap(minute)
      const now = running.clock.now() / 1000
      const idle = await measured()
      for (const series of [newestState, windowEnd])
        assert.ok((idle.get(series) ?? 0) >= now - 1, 'nothing happens in it')
    }
    renameSync(file('app.db'), file('away.db'))
    await running.until('it is told', isAway, () => running.clock.leap(minute / 2))
    const since = running.clock.now() / 1000
    running.clock.leap(60 * minute)
    const away = await measured()
    for (const series of [newestState, windowEnd]) {
      const at = away.get(series) ?? assert.fail(`There is no ${series}.`)
      assert.ok(at <= since, `${series} is by ${at - since} s too new.`)
      assert.ok(at > since - 3600, `${series} is too old.`)
    }
  })

  it('tell of the state of a database that is not followed', async () => {
    await using all = await scene({ follow: false, schedules: [{ type: 'full', every: 'daily', at: '03:00' }] })
    const { running, measured } = all
    await running.until('its first backup is made', () => running.agent.status().databases[0]?.lastBackupAt !== null)
    const madeBy = running.clock.now() / 1000
    running.clock.jump(30 * minute)
    const at = (await measured()).get(newestState) ?? assert.fail('Nothing is said of it.')
    assert.ok(at <= madeBy && at > madeBy - 600)
  })
})
