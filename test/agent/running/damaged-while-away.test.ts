import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const schedules = [{ type: 'full', every: '30d' }]

it('databases of a pattern that are damaged or emptied while the agent is away are told, and never taken for deleted', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  mkdirSync(file('followed'))
  mkdirSync(file('plain'))
  for (const name of ['acme', 'bolt', 'coop', 'dune']) makeDatabase(file(`followed/${name}.db`))
  for (const name of ['ford', 'gulf', 'hull']) makeDatabase(file(`plain/${name}.db`))
  makeDatabase(file('alone.db'))
  const config = {
    repository,
    databases: [
      { path: file('alone.db'), schedules, verify: false },
      { glob: file('followed/*.db'), schedules, verify: false },
      { glob: file('plain/*.db'), follow: false, schedules, verify: false },
    ],
    notify: [inbox.channel],
  }
  {
    await using first = await RunningAgent.start(file('home'), config)
    const isKept = () =>
      first.agent
        .status()
        .databases.every(({ following, lastBackupAt }) => following?.state === 'following' || lastBackupAt !== null)
    await first.until('all are kept', isKept)
  }
  overwrite(file('followed/bolt.db'))
  overwrite(file('plain/gulf.db'))
  for (const path of ['followed/coop.db', 'alone.db']) truncateSync(file(path), 0)
  rmSync(file('followed/dune.db'))

  await using running = await RunningAgent.start(file('home'), config)
  const { agent, clock } = running
  assert.deepEqual(
    agent.status().gone.map(({ name, expected }) => [name, expected]),
    [['dune', false]],
  )
  assert.deepEqual(
    agent
      .status()
      .databases.map(({ name }) => name)
      .sort(),
    ['acme', 'alone', 'bolt', 'coop', 'ford', 'gulf', 'hull'],
  )
  const emptied = `missing/${encodeURIComponent(file('followed/*.db'))}/changed`
  const damaged = `missing/${encodeURIComponent(file('plain/*.db'))}/changed`
  const notFollowed = 'failure/follow/bolt/'
  const keys = [emptied, damaged, notFollowed]
  await running.until('all are told', () => keys.every((key) => inbox.has('firing', key)))
  for (const key of keys) assert.equal(inbox.last(key)?.severity, 'critical')
  assert.match(inbox.last(emptied)?.summary ?? '', /^A database of .* \(coop\): it is empty, and was not before\.$/)
  assert.match(inbox.last(damaged)?.summary ?? '', /^A database of .* \(gulf\): it is no SQLite database\.$/)
  assert.match(inbox.last(notFollowed)?.summary ?? '', /bolt\.db is not a SQLite database\.$/)

  for (const name of ['coop', 'alone']) {
    await running.until(`it is told of ${name}`, () => inbox.has('firing', `gap/${name}`))
    assert.match(inbox.last(`gap/${name}`)?.summary ?? '', /: the database was emptied\.$/)
  }

  for (const path of ['followed/coop.db', 'plain/gulf.db', 'followed/bolt.db']) {
    rmSync(file(path))
    makeDatabase(file(path))
  }
  await running.until(
    'all are over',
    () => keys.every((key) => inbox.has('recovered', key)),
    () => clock.leap(30_000),
  )
})

function overwrite(path: string): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(8_192, 0xa5), 0, 8_192, 0)
  closeSync(file)
}
