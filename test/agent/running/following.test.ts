import assert from 'node:assert/strict'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { change, makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const minute = 60_000

/** A database that can be followed, and whoever is told of it. */
async function scene(more: object = {}) {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [{ path: file('app.db'), follow: { syncInterval: '100ms' }, schedules: [], verify: false, ...more }]
  const owned = stack.move()
  return {
    file,
    inbox,
    start: async () => {
      const config = { repository, databases, notify: [inbox.channel] }
      const running = await RunningAgent.start(file('home'), config)
      await running.until('it is followed', () => following(running)?.state === 'following')
      return running
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const following = (running: RunningAgent) => running.agent.status().databases[0]?.following

describe('an agent that follows a database', () => {
  it('tells that commits wait for a repository that is away, and that they are there', async () => {
    await using all = await scene({ lagLimit: '2m' })
    const { inbox, file } = all
    using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
    await using running = await all.start()
    const next = () => running.clock.leap(minute / 2)
    const key = 'lag/app'
    renameSync(file('backups'), file('away'))
    writeFileSync(file('backups'), 'This is no folder.')
    application.exec("INSERT INTO users (name) VALUES ('late')")
    await running.until('it is told', () => inbox.has('firing', key), next)
    assert.match(inbox.last(key)?.summary ?? '', /^Commits of app have waited for the repository for .*limit is 2 min/)
    rmSync(file('backups'))
    renameSync(file('away'), file('backups'))
    await running.until('it is told that it is over', () => inbox.has('recovered', key), next)
    inbox.proves('commits wait', key)
    assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
    assert.equal(following(running)?.durableLsn, 2)
  })

  for (const [what, folder] of [
    ['is away', 'backups'],
    ['can be read, but takes nothing', 'backups/databases/app/segments'],
  ] as const)
    it(`calls overdue what it follows while the repository ${what}, and not any more when all is there`, async () => {
      await using all = await scene({ overdueAfter: '20s' })
      const { inbox, file } = all
      using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
      await using running = await all.start()
      await running.until('its state is kept', () => existsSync(file(folder)) && following(running)?.durableLsn === 1)
      const next = () => running.clock.leap(minute / 2)
      const key = 'overdue/app'
      for (let times = 0; times < 3; times += 1) await next()
      assert.deepEqual(inbox.all, [], 'nothing happens in it')
      renameSync(file(folder), file('away'))
      writeFileSync(file(folder), 'This is no folder.')
      application.exec("INSERT INTO users (name) VALUES ('late')")
      await running.until('it is told', () => inbox.has('firing', key), next)
      assert.match(
        inbox.last(key)?.summary ?? '',
        /^The newest state of app in the repository is .* older than 20 s\.$/,
      )
      assert.equal(following(running)?.state, 'following')
      rmSync(file(folder))
      renameSync(file('away'), file(folder))
      await running.until('it is told that it is over', () => inbox.has('recovered', key), next)
      inbox.proves('a backup is overdue', key)
      assert.equal(following(running)?.durableLsn, 2)
    })

  it('tells that commits were missed while it did not run, and an hour later that no more were', async () => {
    await using all = await scene()
    const { inbox, file } = all
    const key = 'gap/app'
    {
      using _application = new DatabaseSync(file('app.db'), { timeout: 5000 })
      await using first = await all.start()
      await first.until('its state is kept', () => following(first)?.durableLsn === 1)
    }
    // Whoever closes the last connection resets the log.
    for (let times = 0; times < 3; times += 1) change(file('app.db'), "INSERT INTO users (name) VALUES ('unseen')")
    using application = new DatabaseSync(file('app.db'), { timeout: 5000 })
    application.exec("UPDATE users SET name = 'unseen' WHERE id = 1")
    await using second = await all.start()
    await second.until('it is told', () => inbox.has('firing', key))
    assert.match(inbox.last(key)?.summary ?? '', /^Commits of app were missed between /)
    const said = second.lines.filter((line) => / warn /.test(line) && /LSN|missed/.test(line))
    assert.equal(said.length, 1, `once is enough: ${said.join(' ')}`)
    const toldAt = second.clock.now()
    await second.until(
      'it is told that it is over',
      () => inbox.has('recovered', key),
      () => second.clock.leap(5 * minute),
    )
    assert.ok(second.clock.now() - toldAt >= 55 * minute, 'not before an hour has gone by')
    inbox.proves('commits were missed', key)
    assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
  })

  it('tells that it cannot be read any more, and that it can', async () => {
    await using all = await scene()
    const { inbox, file } = all
    await using running = await all.start()
    const next = () => running.clock.leap(minute / 2)
    const key = 'failure/follow/app/reading'
    renameSync(file('app.db'), file('away.db'))
    await running.until('it is told', () => inbox.has('firing', key), next)
    assert.match(inbox.last(key)?.summary ?? '', /^app cannot be followed at the moment: /)
    assert.equal(running.agent.health().status, 'failing')
    renameSync(file('away.db'), file('app.db'))
    await running.until('it is told that it is over', () => inbox.has('recovered', key), next)
    inbox.proves('a followed database cannot be read', key)
    assert.deepEqual(inbox.about(key), ['firing critical', 'recovered critical'])
  })
})
