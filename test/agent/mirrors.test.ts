import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { agentControlApi } from '../../src/agent/agent-control-api.ts'
import { agentSocket } from '../../src/agent/agent-lock.ts'
import { ControlClient } from '../../src/control/client.ts'
import { mirrorRepository } from '../../src/maintenance/mirror/mirror-repository.ts'
import { readMirror } from '../../src/repository/mirror-record.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

const hour = 3_600_000

function makeDatabase(path: string): void {
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE notes (text); INSERT INTO notes VALUES (1)')
}

async function completeAt(place: string): Promise<string | null | undefined> {
  return (await readMirror(await openStorage(place)))?.completeAt
}

describe('an agent with mirrors', () => {
  it('keeps them up to date, tells how old they are, and alerts when one is away for long', async () => {
    using place = await agentPlace()
    const { repository, file } = place
    makeDatabase(file('app.db'))
    const mirror = file('nas')
    const name = pathToFileURL(mirror).href
    const config = {
      repository,
      databases: [{ path: file('app.db'), follow: false }],
      mirrors: [mirror],
    }
    await using running = await RunningAgent.start(file('home'), config)
    const { agent, clock } = running
    const status = () => agent.status().mirrors[0]
    // What runs takes no hours.
    const isIdle = () => agent.status().running.length === 0
    const onward = () => isIdle() && clock.leap(hour / 4)
    assert.equal(status()?.mirror, name)
    await running.until('the database is backed up', () => agent.status().databases[0]?.lastBackupAt !== null)
    const since = clock.now()
    const soon = () => isIdle() && clock.leap(hour / 60)
    await running.until('the mirror is complete', () => status()?.completeAt !== null, soon)
    assert.ok(clock.now() - since < hour / 4, 'a new one does not wait for its time')
    assert.notEqual(await completeAt(mirror), null)
    assert.ok(existsSync(`${mirror}/databases/app/database.json`), 'nor is it begun before there is anything to mirror')
    assert.match((await agent.renderMetrics()).body, /holdfast_mirror_last_success_timestamp_seconds\{mirror="file:/)

    rmSync(mirror, { recursive: true })
    mkdirSync(mirror)
    const isTold = (key: RegExp) => running.problems.some((problem) => key.test(problem.key))
    await running.until('the failure is told', () => isTold(/^failure\/mirror\//), onward)
    await running.until('that it is overdue is told', () => isTold(/^overdue\/mirror\//), onward)
    assert.ok(!existsSync(`${mirror}/mirror.json`), 'nothing is begun where a mirror was before')

    rmSync(mirror, { recursive: true })
    await mirrorRepository({ repository, to: mirror, begin: true })
    await running.until('all is well again', () => !isTold(/\/mirror\//), onward)
  })

  it('mirrors one database when its own schedule says so, and forgets a mirror that is named no more', async () => {
    using place = await agentPlace()
    const { repository, file } = place
    makeDatabase(file('app.db'))
    const databases = [
      {
        path: file('app.db'),
        follow: false,
        schedules: [
          { type: 'incremental', every: 'daily' },
          { id: 'now', type: 'mirror', every: 'yearly' },
        ],
      },
    ]
    const mirrors = [{ to: file('nas'), every: 'yearly' }]
    await mirrorRepository({ repository, to: file('nas') })
    const before = await completeAt(file('nas'))
    await using running = await RunningAgent.start(file('home'), { repository, databases, mirrors })
    const { agent } = running
    await running.until('the database is backed up', () => agent.status().databases[0]?.lastBackupAt !== null)
    await agent.runSchedule('app', 'now')
    assert.ok(existsSync(`${file('nas')}/databases/app/database.json`))
    assert.equal(await completeAt(file('nas')), before)
    await agent.runSchedule(pathToFileURL(file('nas')).href, 'mirror-yearly')
    assert.notEqual(await completeAt(file('nas')), before)
    assert.equal(agent.status().mirrors[0]?.completeAt, await completeAt(file('nas')))
  })
})

describe('an agent whose mirror somebody else brings up to date', () => {
  it('learns of it without a run of its own, and takes back what it had said of that mirror', async () => {
    using place = await agentPlace()
    const { repository, file } = place
    makeDatabase(file('app.db'))
    const mirror = file('nas')
    const config = {
      repository,
      databases: [
        { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: 'yearly' }], verify: false },
      ],
      mirrors: [{ to: mirror, every: '1d' }],
    }
    await mirrorRepository({ repository, to: mirror })
    await using running = await RunningAgent.start(file('home'), config)
    const { agent, clock } = running
    const status = () => agent.status().mirrors[0]
    const onward = (step: number) => () => agent.status().running.length === 0 && clock.leap(step)
    const ownRuns = () => running.lines.filter((line) => /mirror .*: (done|failed)/.test(line)).length
    const byHand = () => mirrorRepository({ repository, to: mirror, now: clock.now() })
    await running.until('the database is backed up', () => agent.status().databases[0]?.lastBackupAt !== null)
    await running.until('it knows', () => status()?.completeAt !== null, onward(hour / 4))
    assert.equal(ownRuns(), 0)

    renameSync(mirror, file('unmounted'))
    writeFileSync(mirror, 'This is no folder.')
    const told = () => running.problems.map(({ key }) => key.replace(/\/file.*/, '')).sort()
    const both = ['failure/mirror', 'overdue/mirror']
    await running.until('both are told', () => both.every((key) => told().includes(key)), onward(hour))
    const runs = ownRuns()
    rmSync(mirror)
    renameSync(file('unmounted'), mirror)
    await byHand()
    const since = clock.now()
    await running.until('both are over', () => !told().some((key) => both.includes(key)), onward(hour / 12))
    assert.ok(clock.now() - since < 3 * hour)
    assert.equal(ownRuns(), runs)
  })

  it('says so when it is asked how things are', async () => {
    using place = await agentPlace()
    const { repository, file } = place
    makeDatabase(file('app.db'))
    const databases = [{ path: file('app.db'), follow: false, schedules: [{ type: 'full', every: 'yearly' }] }]
    const mirrors = [{ to: file('nas'), every: 'yearly' }]
    await mirrorRepository({ repository, to: file('nas') })
    await using running = await RunningAgent.start(file('home'), { repository, databases, mirrors })
    await running.until('the first backup', () => running.agent.status().databases[0]?.lastBackupAt !== null)
    await mirrorRepository({ repository, to: file('nas') })
    using client = await ControlClient.connect(await agentSocket(file('home/state/agent')), agentControlApi)
    const {
      mirrors: [told],
    } = await client.call('status', undefined)
    assert.equal(told?.completeAt, await completeAt(file('nas')))
  })
})
