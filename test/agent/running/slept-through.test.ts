import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { putAgentRecord } from '../../../src/repository/agent-record.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { LeapClock } from '../support/leap-clock.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const hour = 3_600_000
const theirs = 'overdue/theirs'
const its = 'overdue/app/verify'

for (const mode of ['asleep', 'off'] as const) {
  it(`what a machine did not verify while it was ${mode} is caught up, and nobody is told that it is overdue`, async () => {
    await using stack = new AsyncDisposableStack()
    const { repository, opened, file } = stack.use(await agentPlace())
    const inbox = stack.use(await AlertInbox.open())
    makeDatabase(file('app.db'))
    const hold = file('hold')
    const config = {
      repository,
      databases: [
        { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '90d' }], verify: { every: '1d' } },
      ],
      hooks: [{ before: 'verify', command: `while test -e '${hold}'; do sleep 0.1; done` }],
      notify: [inbox.channel],
      repeatAlerts: '30d',
    }
    const clock = new LeapClock()
    const start = async () => stack.use(await RunningAgent.start(file('home'), config, { clock }))
    let running = await start()
    const verified = () => running.lines.filter((line) => /verify.* of app: done/.test(line)).length
    const isIdle = () => running.agent.status().running.length === 0
    const onward = () => isIdle() && clock.leap(3 * hour)
    await running.until('it is verified', () => verified() > 0, onward)
    // What nobody does tells when the agent has looked.
    const since = new Date(clock.now()).toISOString()
    await putAgentRecord(opened.storage, {
      id: '0b9e4c1e-0000-4000-8000-000000000002',
      host: 'db2',
      config: '/etc/holdfast.yaml',
      writtenAt: since,
      plans: [
        {
          follow: null,
          overdueAfterMs: 48 * hour,
          schedules: [],
          databases: { theirs: { path: '/theirs.db', since } },
        },
      ],
    })
    writeFileSync(hold, '')
    if (mode === 'off') await running.agent.stop()
    clock.leap(72 * hour)
    if (mode === 'off') running = await start()
    stack.defer(() => rmSync(hold, { force: true }))
    const before = verified()
    const isFiring = (key: string) => running.problems.some((problem) => problem.key === key)
    await running.until('the agent looks', () => isFiring(theirs))
    assert.deepEqual([isFiring(its), verified()], [false, before])
    rmSync(hold)
    await running.until('it is caught up', () => verified() > before)
    await running.until(
      'the agent looks again',
      () => inbox.has('recovered', theirs),
      async () => {
        await opened.storage.delete('agents/0b9e4c1e-0000-4000-8000-000000000002.json')
        if (isIdle()) clock.leap(hour)
      },
    )
    assert.deepEqual(new Set(inbox.all.map(({ key }) => key)), new Set([theirs]))
  })
}
