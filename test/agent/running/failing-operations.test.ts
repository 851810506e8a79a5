import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const hour = 3_600_000

it('an agent tells of everything that it does by schedule when it fails, of what becomes overdue by that, and when it is done again', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  const refused = { command: ['test', '!', '-e', file('refuse')] }
  const hooks = (['backup', 'verify', 'expire', 'compact', 'mirror'] as const).map((before) => ({ before, ...refused }))
  const daily = { every: '1d' }
  const config = {
    repository,
    databases: [
      {
        path: file('app.db'),
        follow: false,
        schedules: [{ type: 'incremental', ...daily }],
        retention: { last: 5 },
        expire: daily,
        compact: daily,
        verify: daily,
      },
    ],
    mirrors: [{ to: file('nas'), ...daily }],
    hooks,
    notify: [inbox.channel],
    repeatAlerts: '30d',
  }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  const done = (what: string) => running.lines.some((line) => new RegExp(`${what}.*: done`).test(line))
  const onward = () => running.agent.status().running.length === 0 && running.clock.leap(3 * hour)
  const mirror = encodeURIComponent(pathToFileURL(file('nas')).href)
  const expected = {
    'a backup fails': 'failure/backup/app/changes',
    'a verification fails': 'failure/verify/app/data',
    'expiry fails': 'failure/expire/app/',
    'compaction fails': 'failure/compact/app/',
    'mirroring fails': `failure/mirror/${mirror}`,
    'a backup is overdue': 'overdue/app',
    'a mirror is overdue': `overdue/mirror/${mirror}`,
  }
  const keys = Object.values(expected)
  const all = ['backup', 'verify', 'expire', 'compact', 'mirror']
  await running.until('all was done once', () => all.every(done), onward)
  assert.deepEqual(inbox.all, [])

  writeFileSync(file('refuse'), '')
  await running.until('all is told', () => keys.every((key) => inbox.has('firing', key)), onward)
  assert.deepEqual(
    keys.map((key) => inbox.last(key)?.severity),
    ['critical', 'warning', 'warning', 'warning', 'warning', 'critical', 'warning'],
  )
  rmSync(file('refuse'))
  await running.until('all is over', () => keys.every((key) => inbox.has('recovered', key)), onward)
  inbox.proves('a backup fails', expected['a backup fails'])
  inbox.proves('a verification fails', expected['a verification fails'])
  inbox.proves('expiry fails', expected['expiry fails'])
  inbox.proves('compaction fails', expected['compaction fails'])
  inbox.proves('mirroring fails', expected['mirroring fails'])
  inbox.proves('a backup is overdue', expected['a backup is overdue'])
  inbox.proves('a mirror is overdue', expected['a mirror is overdue'])
  assert.deepEqual(new Set(inbox.all.map(({ key }) => key)), new Set(keys))
  assert.equal(running.agent.health().status, 'ok')
})
