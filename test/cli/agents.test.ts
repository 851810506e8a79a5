import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { putAgentRecord } from '../../src/repository/agent-record.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { currentProcess } from '../../src/util/process-identity.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

const id = '3f9a1c00-0000-4000-8000-000000000001'

it('any machine sees which agents a repository has, and what they left undone, until one is forgotten', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  assert.match((await cliOk(['agents'], { cwd })).stdout, /^No agent has worked on this repository yet\./)
  await cliOk(['backup', 'app.db'], { cwd })
  const day = 24 * 3_600_000
  const longAgo = new Date(Date.now() - 9 * day).toISOString()
  const daily = { on: 'calendar', every: 'daily' } as const
  await putAgentRecord(new LocalStorage(join(cwd, 'backups')), {
    id,
    host: 'db7',
    config: '/etc/holdfast.yaml',
    writtenAt: longAgo,
    plans: [
      {
        databases: { app: { path: '/srv/app.db', since: longAgo }, shop: { path: '/srv/shop.db', since: longAgo } },
        follow: null,
        overdueAfterMs: null,
        schedules: [
          { id: 'full-daily', action: 'full', trigger: daily },
          { id: 'verify-daily', action: 'verify', trigger: daily },
        ],
      },
    ],
  })
  const { code, stdout } = await cli(['agents'], { cwd })
  assert.equal(code, 3)
  assert.match(stdout, /^OVERDUE:\n/)
  assert.match(stdout, /There is no backup of shop at all, which the agent on db7 should have made\./)
  assert.match(stdout, /Nothing of app was verified for 9 d/)
  assert.doesNotMatch(stdout, /newest state of app/)
  assert.match(stdout, /3f9a1c00 +db7 +\/etc\/holdfast\.yaml +2 +9 d/)
  const { last } = await cliJson('agents', [], { cwd })
  assert.deepEqual(
    last.overdue.map(({ database, severity }) => `${database} ${severity}`),
    ['app warning', 'shop critical', 'shop warning'],
  )
  const doctor = await cli(['doctor'], { cwd })
  assert.equal(doctor.code, 3)
  assert.match(doctor.stdout, /! shop: There is no backup of shop at all/)
  await cliOk(['verify'], { cwd })
  assert.doesNotMatch((await cli(['agents'], { cwd })).stdout, /Nothing of app was verified/)

  assert.equal((await cli(['agents', 'forget', 'nobody'], { cwd })).code, 4)
  assert.match((await cliOk(['agents', 'forget', '3f9'], { cwd })).stdout, /on db7, with 2 databases/)
  await cliOk(['agents'], { cwd })
  const { stdout: audited } = await cliOk(['audit', '--json'], { cwd })
  assert.match(audited, /"kind":"forget".*"agent":"3f9"/)
  const { stdout: history } = await cliOk(['history', '--outcome', 'succeeded'], { cwd })
  assert.match(history, /forget/)
  assert.match((await cliOk(['doctor'], { cwd })).stdout, /All is well\./)
})

it('of what cannot be looked at, says why, and tells what is overdue of the others', async (context) => {
  const cwd = await scratchFolder(context)
  await cliOk(['init'], { cwd })
  const storage = new LocalStorage(join(cwd, 'backups'))
  const longAgo = new Date(Date.now() - 9 * 24 * 3_600_000).toISOString()
  const databases = Object.fromEntries(['a', 'z'].map((name) => [name, { path: `/srv/${name}.db`, since: longAgo }]))
  const plans = [{ databases, follow: { syncIntervalMs: 1000 }, overdueAfterMs: null, schedules: [] }]
  await putAgentRecord(storage, { id, host: 'db7', config: '/etc/holdfast.yaml', writtenAt: longAgo, plans })
  await writeDocument(storage, 'lease', leaseKey('z'), {})
  const lease = join(cwd, 'backups', leaseKey('z'))
  writeFileSync(lease, readFileSync(lease, 'utf8').replace('"version":1', '"version":2'))
  const { code, stdout } = await cli(['agents'], { cwd })
  assert.equal(code, 3)
  assert.match(stdout, /^OVERDUE:\n- Nobody follows a any more: .*\nUNKNOWN:\n- What is overdue of z cannot be told: /)
  const { last } = await cliJson('agents', [], { cwd })
  assert.deepEqual(
    last.overdue.map(({ database }) => database),
    ['a'],
  )
  assert.deepEqual(
    last.unknown.map(({ what }) => what),
    ['z'],
  )
  assert.match((await cli(['doctor'], { cwd })).stdout, /! z: what is overdue of it cannot be told/)
})

it('to forget an agent, or who followed a database without one, lets go of what they held when they were killed', async (context) => {
  const cwd = await scratchFolder(context)
  await cliOk(['init'], { cwd })
  for (const name of ['gone', 'ours', 'theirs']) {
    makeDatabase(join(cwd, `${name}.db`))
    await cliOk(['backup', `${name}.db`], { cwd })
  }
  const storage = new LocalStorage(join(cwd, 'backups'))
  const time = (at: number) => new Date(Date.now() + at).toISOString()
  const expiresAt = time(3_600_000)
  /** As a follower leaves it that was killed: `pid` is of no process. */
  const leave = (name: string, owner: object) =>
    writeDocument(storage, 'lease', leaseKey(name), {
      epoch: 2,
      released: false,
      lsn: 1,
      pending: null,
      nonce: 'abc',
      owner: { ...currentProcess(), pid: 4_194_303, ...owner },
      purpose: 'follow',
      acquiredAt: time(-3_600_000),
      expiresAt,
    })
  await leave('gone', {})
  await leave('ours', {})
  await leave('theirs', { host: 'db9', bootId: 'another' })
  const paths = Object.fromEntries(
    ['gone', 'theirs'].map((name) => [name, { path: `/${name}.db`, since: time(-1000) }]),
  )
  const follow = { syncIntervalMs: 1000 }
  const plans = [{ databases: paths, follow, overdueAfterMs: null, schedules: [] }]
  await putAgentRecord(storage, { id, host: 'db7', config: '/etc/holdfast.yaml', writtenAt: time(-1000), plans })
  const forget = (...args: string[]) => cliJson('agents forget', args, { cwd })

  const refused = await cli(['agents', 'forget', '--database', 'gone'], { cwd })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /holdfast agents forget 3f9a1c00/)
  assert.equal((await cli(['agents', 'forget'], { cwd })).code, 2)
  assert.equal((await cli(['agents', 'forget', id, '--database', 'gone'], { cwd })).code, 2)

  const first = await cli(['agents', 'forget', id, '--json'], { cwd })
  assert.equal(first.code, 3, 'one of them may live')
  assert.match(first.stdout, /"databases":2,"freed":\["gone"\]/)
  assert.match(first.stdout, /on db9 still follows theirs\..*agents forget --database theirs/)
  const again = await forget('--database', 'ours')
  assert.deepEqual(again.last.freed, ['ours'])
  assert.deepEqual((await forget('--database', 'ours')).last.freed, [])
  assert.equal((await cli(['agents', 'forget', '--database', 'nothing'], { cwd })).code, 4)
})
