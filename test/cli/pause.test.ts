import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

it('a moment of a pause in which commits were made names no state, though none of them is missing', async (context) => {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { journal: 'wal' })
  await cliOk(['init'], { cwd })
  const follow = () => new FollowerProgram(context, cwd, ['app.db', '--state', 'state'])
  using application = new DatabaseSync(path, { timeout: 10_000 })
  application.exec('PRAGMA wal_autocheckpoint = 0')
  const add = (name: string) => application.prepare('INSERT INTO users (name) VALUES (?)').run(name)

  const first = follow()
  await first.event('started')
  add('followed')
  await first.event('uploaded', ({ lsn }) => lsn === 2)
  assert.equal((await first.interrupt()).code, 0)

  const before = new Date().toISOString()
  await sleep(20)
  add('unseen')
  add('unseen, too')
  const inside = new Date().toISOString()
  await sleep(1_000)

  const second = follow()
  assert.equal((await second.event('started')).how, 'resumed')
  await second.event('uploaded', ({ lsn }) => lsn === 4)
  add('followed again')
  await second.event('uploaded', ({ lsn }) => lsn === 5)
  assert.deepEqual((await second.interrupt()).result.databases[0]?.gaps, 0)

  const { last: points } = await cliJson('points', ['app'], { cwd })
  // What is committed between the first state and the first look at the log is a moment's pause, too.
  const pauses = points.pauses.filter(({ fromLsn }) => fromLsn > 1)
  assert.deepEqual(
    pauses.map(({ fromLsn, toLsn }) => [fromLsn, toLsn]),
    [[2, 4]],
  )
  assert.deepEqual([points.gaps, points.windows.length], [[], 1])
  const { stdout } = await cliOk(['points', 'app'], { cwd })
  assert.match(stdout, /Not followed for a while: .* by LSN.*\n {2}20.* to 20.*: LSN 3 to 4\n/)

  for (const time of [before, inside]) {
    const { last } = await cliJsonError(['restore', 'app', '--at', time, '--to', 'no.db'], { cwd })
    assert.equal(last.code, 'NOT_RESTORABLE')
    assert.match(last.message, /not followed then.*LSN 3 to 4,/)
    assert.match(`${last.hint}`, /--lsn 2 --to no\.db .*\n.*--lsn 4 --to no\.db /)
  }
  const count = (name: string) => {
    using restored = new DatabaseSync(join(cwd, name), { readOnly: true })
    return restored.prepare("SELECT count(*) AS n FROM users WHERE name LIKE '%unseen%'").get()?.['n']
  }
  const { last: earlier } = await cliJson('restore', ['app', '--at', inside, '--before', '--to', 'earlier.db'], { cwd })
  assert.match(earlier.warnings.join(), /is not known\. LSN 2 is the newest state .* are missing from it/)
  const between = await cliJson('restore', ['app', '--lsn', '3', '--to', 'between.db'], { cwd })
  assert.deepEqual(between.last.plan.pause, { from: pauses[0]?.fromTime, to: pauses[0]?.toTime })
  const { stdout: text } = await cliOk(['restore', 'app', '--lsn', '3', '--to', 'again.db', '--dry-run'], { cwd })
  assert.match(text, /between 20.* and 20.*, while not followed, LSN 3\n/)
  // From then on, this is known to have been the newest.
  const { last: later } = await cliJson('restore', ['app', '--at', pauses[0]?.toTime ?? '', '--to', 'later.db'], {
    cwd,
  })
  assert.equal(later.plan.pause, null)
  assert.deepEqual(['earlier.db', 'between.db', 'later.db'].map(count), [0, 1, 2])
})
