import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { change, makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const hours = 6 * 3_600_000
const key = 'drill/app'

/** A database of which a full backup is made now and then, and restored once a day. */
async function scene(backupEvery: string) {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [
    {
      path: file('app.db'),
      follow: false,
      schedules: [
        { id: 'whole', type: 'full', every: backupEvery },
        { id: 'trial', type: 'drill', every: '1d' },
      ],
      drill: { assertions: ['SELECT count(*) > 0 FROM orders'] },
      verify: false,
    },
  ]
  const running = stack.use(
    await RunningAgent.start(file('home'), { repository, databases, notify: [inbox.channel], repeatAlerts: '30d' }),
  )
  const owned = stack.move()
  const count = (fits: RegExp): number => running.lines.filter((line) => fits.test(line)).length
  await running.until('the first backup', () => count(/backup \(full\) of app: done/) === 1)
  return {
    file,
    inbox,
    running,
    count,
    /** Lets time go by while nothing runs. */
    until: (what: string, holds: () => boolean) =>
      running.until(what, holds, () => {
        if (running.agent.status().running.length === 0) running.clock.leap(hours)
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe('a restore drill of an agent', () => {
  it('that finds what the user asserted not to hold is told, and over when one passes', async () => {
    await using all = await scene('12h')
    const { inbox, until, count, file } = all
    await until('a drill passes', () => count(/drill of app: done/) > 0)
    change(file('app.db'), 'DELETE FROM orders')
    await until('it is told that a drill failed', () => inbox.has('firing', key))
    const { severity, summary } = inbox.last(key) ?? assert.fail()
    assert.equal(severity, 'critical')
    assert.match(summary, /^The restore drill of app failed: .*SELECT count\(\*\) > 0 FROM orders/)
    change(file('app.db'), "INSERT INTO orders VALUES (1, 1, 'one')")
    await until('it is told that it is over', () => inbox.has('recovered', key))
    inbox.proves('a drill fails', key)
    assert.deepEqual(inbox.about(key), ['firing critical', 'recovered critical'])
  })

  it('that finds damage in the repository is told, and over when a state can be restored again', async () => {
    await using all = await scene('30d')
    const { inbox, running, until, file } = all
    const folder = file('backups/databases/app/segments')
    const [segment = assert.fail()] = readdirSync(folder)
    const bytes = readFileSync(`${folder}/${segment}`)
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(`${folder}/${segment}`, bytes)
    await until('it is told that a drill failed', () => inbox.has('firing', key))
    assert.match(inbox.last(key)?.summary ?? '', /^The restore drill of app failed: /)
    assert.equal(inbox.last(key)?.severity, 'critical')
    await running.agent.runSchedule('app', 'whole')
    await until('it is told that it is over', () => inbox.has('recovered', key))
  })

  it('that cannot be tried because the repository is away is a warning', async () => {
    await using all = await scene('30d')
    const { inbox, until, file } = all
    renameSync(file('backups'), file('away'))
    writeFileSync(file('backups'), 'This is no folder.')
    await until('it is told', () => inbox.has('firing', key))
    assert.equal(inbox.last(key)?.severity, 'warning')
    assert.match(
      inbox.last(key)?.summary ?? '',
      /^The restore drill of app was inconclusive: There is no repository at \S+, where [0-9a-f-]+ was before\.$/,
    )
    rmSync(file('backups'))
    renameSync(file('away'), file('backups'))
    await until('it is told that it is over', () => inbox.has('recovered', key))
    inbox.proves('a drill is inconclusive', key)
  })

  it('is no success when all that was backed up was removed', async () => {
    await using all = await scene('30d')
    const { inbox, running, until, count, file } = all
    rmSync(file('backups/databases/app'), { recursive: true })
    await until('it is told', () => inbox.has('firing', key))
    assert.match(inbox.last(key)?.summary ?? '', /^The restore drill of app failed: Backups of app were made, but/)
    assert.equal(count(/drill of app: done/), 0)
    await running.agent.runSchedule('app', 'whole')
    await until('it is told that it is over', () => inbox.has('recovered', key))
  })
})
