/** Files of one name must not become one history, whoever looks after them. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { nameTakenHint } from '../../../src/backup/identity.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { change, makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const follow = { syncInterval: '100ms' }
const onDemand = { schedules: [{ id: 'whole', type: 'full', every: '30d' }], verify: false }

function make(path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  makeDatabase(path)
  return path
}

/** Two folders that look alike, and one repository. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  const { repository, file, opened } = place
  const paths = { one: make(file('one/data/app.db')), two: make(file('two/data/app.db')) }
  const owned = stack.move()
  const configOf = (who: 'one' | 'two', entry: object) => ({
    repository,
    databases: [{ path: paths[who], ...onDemand, ...entry }],
    notify: [inbox.channel],
    repeatAlerts: '30d',
  })
  return {
    ...place,
    inbox,
    paths,
    lsnOf: (name: string) => newestLsn(opened, name),
    start: async (who: 'one' | 'two', entry: object) => await RunningAgent.start(file(who), configOf(who, entry)),
    change: async (running: RunningAgent, who: 'one' | 'two', entry: object) => {
      const text = stringify({ stateFolder: `${file(who)}/state`, ...configOf(who, entry) })
      writeFileSync(file(`${who}/holdfast.yaml`), text)
      await running.agent.reload()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function newestLsn(repository: Repository, name: string): Promise<number> {
  const { segments } = await repository.database(name).catalog()
  return Math.max(0, ...segments.map(({ to }) => to))
}

const stateOf = (running: RunningAgent) => running.agent.status().databases[0]?.following?.state
const isFollowing = (running: RunningAgent) => () => stateOf(running) === 'following'
const refused = 'The name app is that of another database in this repository: '

describe('two agents with two files of one name', () => {
  it('do not make one history of them when they follow: the second tells so until it is given a name', async () => {
    await using all = await scene()
    const { inbox, paths, lsnOf } = all
    {
      await using one = await all.start('one', { follow })
      await one.until('it is followed', isFollowing(one))
    }
    const before = await lsnOf('app')
    await using two = await all.start('two', { follow })
    const key = 'failure/follow/app/'
    await two.until('it is told', () => inbox.has('firing', key))
    const told = inbox.last(key)
    assert.equal(told?.severity, 'critical')
    assert.equal(told.summary, `The following of app failed: ${refused}${paths.one}. So ${paths.two} is not backed up.`)
    assert.equal(told.hint, nameTakenHint.configuration('app'))
    assert.match(told.hint ?? '', /a "name:" of its own; or, if it is that database in a new place, "name: app"/)
    assert.ok(two.lines.some((line) => line.includes(refused) && line.includes('Give its entry in the configuration')))
    for (let tries = 0; tries < 3; tries += 1) two.clock.hurry(300_000)
    assert.equal(await lsnOf('app'), before)

    await all.change(two, 'two', { follow, name: 'other' })
    await two.until('it is followed', isFollowing(two))
    await two.until('that is told', () => inbox.has('recovered', key))
    assert.deepEqual(await all.opened.databaseNames(), ['app', 'other'])
    assert.equal(await lsnOf('app'), before)
    assert.equal((await all.opened.database('other').record())?.location, paths.two)
  })

  it('go on with that history in a new place where they are told so, and stop again where they are not', async () => {
    await using all = await scene()
    const { inbox, paths, lsnOf } = all
    {
      await using one = await all.start('one', { follow })
      await one.until('it is followed', isFollowing(one))
    }
    const before = await lsnOf('app')
    await using two = await all.start('two', { follow })
    const key = 'failure/follow/app/'
    await two.until('it is told', () => inbox.has('firing', key))
    await all.change(two, 'two', { follow, name: 'app' })
    await two.until('it is followed', isFollowing(two))
    await two.until('that is told', () => inbox.has('recovered', key))
    change(paths.two, "INSERT INTO users (name) VALUES ('more')")
    await two.until('it is kept', () => (two.agent.status().databases[0]?.following?.durableLsn ?? 0) > before)
    await all.change(two, 'two', { follow })
    await two.until('it is told again', () => inbox.has('firing', key))
    assert.notEqual(stateOf(two), 'following')
  })

  it('do not make one history of them by schedule, nor let anything of the other expire', async () => {
    await using all = await scene()
    const { inbox, paths, opened } = all
    const schedules = [...onDemand.schedules, { id: 'tidy', type: 'expire', every: '30d' }]
    const entry = { follow: false, schedules, retention: { last: 1, window: '1s', grace: '1s' }, expire: false }
    {
      await using one = await all.start('one', entry)
      await one.until('the first backup is made', () => one.lines.some((line) => /backup \(full\).*: done/.test(line)))
      for (let more = 0; more < 2; more += 1) await one.agent.runSchedule('app', 'whole')
    }
    const before = await opened.database('app').catalog()
    assert.equal(before.backups.length, 3)
    await using two = await all.start('two', entry)
    const key = 'failure/backup/app/full'
    await two.until('it is told at once', () => inbox.has('firing', key))
    assert.equal(inbox.last(key)?.severity, 'critical')
    assert.equal(inbox.last(key)?.hint, nameTakenHint.configuration('app'))
    const message = `${refused}${paths.one}. So ${paths.two} is not backed up.`
    await assert.rejects(two.agent.runSchedule('app', 'whole'), { code: 'NAME_TAKEN', message })
    await assert.rejects(two.agent.runSchedule('app', 'tidy'), { code: 'NAME_TAKEN' })
    const after = await opened.database('app').catalog()
    assert.deepEqual(after.backups, before.backups)

    await all.change(two, 'two', { ...entry, name: 'app' })
    assert.equal((await two.agent.runSchedule('app', 'whole')).outcome, 'succeeded')
    await two.until('that is told', () => inbox.has('recovered', key))
    assert.equal((await opened.database('app').catalog()).backups.at(-1)?.location, paths.two)
  })

  for (const moment of ['by a reload', 'while no agent runs'] as const)
    it(`are backed up at once where they are given the name that is meant ${moment}, not when the schedule comes round`, async () => {
      await using all = await scene()
      const { inbox, paths, opened } = all
      const schedules = [...onDemand.schedules, { id: 'changes', type: 'incremental', every: '30d' }]
      const entry = { follow: false, schedules, expire: false }
      {
        await using one = await all.start('one', entry)
        await one.until('the first backup is made', () =>
          one.lines.some((line) => /backup \(full\).*: done/.test(line)),
        )
      }
      const key = 'failure/backup/app/full'
      const newest = async () => (await opened.database('app').catalog()).backups.at(-1)?.location
      const isBackedUp = async (running: RunningAgent) => {
        await running.until('it is backed up, which is told', () => inbox.has('recovered', key))
        assert.equal(await newest(), paths.two)
        assert.notEqual(running.agent.status().databases[0]?.lastBackupAt, null)
        assert.equal((await opened.database('app').catalog()).backups.length, 2)
      }
      {
        await using two = await all.start('two', entry)
        await two.until('it is told', () => inbox.has('firing', key))
        assert.equal(two.agent.status().databases[0]?.lastBackupAt, null, 'that of the other is none of its own')
        if (moment === 'by a reload') {
          await all.change(two, 'two', { ...entry, name: 'app' })
          await isBackedUp(two)
          return
        }
      }
      await using two = await all.start('two', { ...entry, name: 'app' })
      await isBackedUp(two)
    })

  it('are backed up at once where they were followed, and shall not be any more, under the name that is meant', async () => {
    await using all = await scene()
    const { inbox, paths, opened } = all
    {
      await using one = await all.start('one', { follow })
      await one.until('it is followed', isFollowing(one))
    }
    await using two = await all.start('two', { follow })
    await two.until('it is told', () => inbox.has('firing', 'failure/follow/app/'))
    await all.change(two, 'two', { follow: false, name: 'app' })
    await two.until('it is backed up', () => two.lines.some((line) => /backup \(full\).*: done/.test(line)))
    assert.equal((await opened.database('app').catalog()).backups.at(-1)?.location, paths.two)
  })

  it('are one where a link leads from one to the other', async () => {
    await using all = await scene()
    {
      await using one = await all.start('one', { follow })
      await one.until('it is followed', isFollowing(one))
    }
    rmSync(all.file('two/data'), { recursive: true })
    symlinkSync(all.file('one/data'), all.file('two/data'))
    await using two = await all.start('two', { follow })
    await two.until('it is followed', isFollowing(two))
  })
})

it('an agent that lost its state folder and finds files of like names gives them those that they have in the repository', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file, opened } = stack.use(await agentPlace())
  make(file('t/x/a.db'))
  const config = { repository, databases: [{ glob: file('t/**/*.db'), follow, ...onDemand }] }
  const named = (running: RunningAgent) =>
    new Map(running.agent.status().databases.map(({ name, path }) => [path, name] as const))
  let before: ReadonlyMap<string, string>
  {
    await using running = await RunningAgent.start(file('home'), config)
    await running.until('it is followed', isFollowing(running))
    make(file('t/x-a.db'))
    const areAll = () => {
      const { databases } = running.agent.status()
      return databases.length === 2 && databases.every(({ following }) => following?.state === 'following')
    }
    await running.until('the second is followed', areAll, () => running.clock.hurry(30_000))
    before = named(running)
  }
  assert.equal(before.get(file('t/x/a.db')), 'x-a')
  rmSync(file('home/state'), { recursive: true })
  await using running = await RunningAgent.start(file('home'), config)
  await running.until('they are followed', () =>
    running.agent.status().databases.every(({ following }) => following?.state === 'following'),
  )
  assert.deepEqual(named(running), before)
  assert.equal((await opened.databaseNames()).length, 2)
})
