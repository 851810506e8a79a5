import assert from 'node:assert/strict'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { statusText } from '../../../src/cli/present/status.ts'
import { mirrorRepository } from '../../../src/maintenance/mirror/mirror-repository.ts'
import { mirrorLeaseKey } from '../../../src/repository/layout.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

it('a mirror that somebody else brings up to date keeps nothing else from being done, is seen to wait, and fails after ten minutes', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file, opened } = stack.use(await agentPlace())
  makeDatabase(file('app.db'))
  await mirrorRepository({ repository, to: file('nas') })
  const storage = await openStorage(file('nas'))
  const place = { storage, name: 'nas', repository: opened, leaseKey: mirrorLeaseKey }
  const hold = async () => stack.use(await Lease.acquire(place, { purpose: 'mirror' }))
  const schedules = [
    { id: 'whole', type: 'full', every: 'yearly' },
    { id: 'ours', type: 'mirror', every: 'yearly' },
  ]
  const config = {
    repository,
    databases: [{ path: file('app.db'), follow: false, schedules, verify: false }],
    mirrors: [{ to: file('nas'), every: 'yearly' }],
    concurrency: { operations: 1 },
  }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  const { agent, clock } = running
  const isIdle = () => agent.status().running.length === 0
  await running.until(
    'the database is backed up',
    () => agent.status().databases[0]?.lastBackupAt !== null && isIdle(),
    () => clock.hurry(1_000),
  )

  const other = await hold()
  const name = pathToFileURL(file('nas')).href
  const mirrored = agent.runSchedule(name, 'mirror-yearly')
  mirrored.catch(() => {})
  const waiting = () => agent.status().running.find(({ waiting: reason }) => reason !== null)
  await running.until('it waits', () => waiting() !== undefined)
  assert.match(
    waiting()?.waiting ?? '',
    new RegExp(`^Another process works on file:.*: mirror by process ${process.pid}`),
  )
  const text = statusText(agent.status(), clock.now())
  assert.match(text, /^Waiting: mirror .*, for .+\. Another process works on file:/m)
  assert.doesNotMatch(text, /^Running: /m)
  assert.equal((await agent.runSchedule('app', 'whole')).outcome, 'succeeded')
  assert.notEqual(waiting(), undefined)
  await other[Symbol.asyncDispose]()
  await running.until('it is done', isIdle, () => clock.hurry(2_000))
  assert.equal((await mirrored).outcome, 'succeeded')

  await hold()
  const failed = agent.runSchedule('app', 'ours')
  failed.catch(() => {})
  await running.until('it waits again', () => waiting() !== undefined)
  await running.until('it has failed', isIdle, () => waiting() && clock.hurry(30_000))
  await assert.rejects(failed, { code: 'LEASE_HELD', message: /mirror by process .* It did not let go for 10 min\.$/ })
})
