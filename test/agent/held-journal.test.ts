import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { journalPlace } from './journal/support/journals.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

async function start(place: Awaited<ReturnType<typeof agentPlace>>, journalPatienceMs: number): Promise<RunningAgent> {
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const schedules = [{ id: 'full', type: 'full', every: 'yearly' }]
  const databases = [{ path: file('app.db'), follow: false, schedules, verify: false }]
  return await RunningAgent.start(file('home'), { repository, databases }, { journalPatienceMs })
}

/** As a process does that was stopped in the middle of a write. */
function hold(path: string): Disposable {
  const database = new DatabaseSync(path)
  database.exec('BEGIN IMMEDIATE')
  return { [Symbol.dispose]: () => database.close() }
}

describe('an agent whose journal another process holds', () => {
  it('goes on, and writes down what it did when the journal is let go', async () => {
    using place = await agentPlace()
    using journal = journalPlace()
    const { file } = place
    const recorded = async () =>
      (await journal.open({ path: file('home/journal.db') }).operations({ outcome: 'succeeded' })).length
    await using running = await start(place, 3_600_000)
    const { agent } = running
    await agent.runSchedule('app', 'full')
    await running.until('it rests', () => agent.status().running.length === 0)
    const before = await recorded()
    {
      using _holder = hold(file('home/journal.db'))
      assert.equal((await agent.runSchedule('app', 'full')).outcome, 'succeeded')
      assert.equal(await recorded(), before)
    }
    let after = before
    await running.until(
      'it is written down',
      () => after === before + 1,
      async () => {
        after = await recorded()
      },
    )
    assert.equal(agent.health().status, 'ok')
  })

  it('says so for as long as that lasts, and that it is over, each time', async () => {
    using place = await agentPlace()
    await using running = await start(place, 10)
    const { agent, clock, lines } = running
    await agent.runSchedule('app', 'full')
    const told = () => running.problems.find(({ key }) => key === 'journal')
    const count = (text: RegExp) => lines.filter((line) => text.test(line)).length
    for (let times = 1; times <= 2; times += 1) {
      {
        using _holder = hold(place.file('home/journal.db'))
        assert.equal((await agent.runSchedule('app', 'full')).outcome, 'succeeded')
        assert.equal(agent.health().status, 'warning')
        assert.match(told()?.summary ?? '', /cannot be recorded in the history and the audit log.*fuser/)
      }
      await running.until(
        'it is over',
        () => told() === undefined,
        () => clock.leap(31_000),
      )
      assert.equal(count(/^What is done cannot be recorded.* locked by another process/), times, lines.join('\n'))
      assert.equal(count(/ is recorded .* again\. 2 entries of the audit log are missing/), times, lines.join('\n'))
    }
  })
})
