import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

/** A database, and so many backups of it, with one more row in each. */
async function backedUp(context: TestContext, backups: number) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { rows: 20 })
  await cliOk(['init'], { cwd })
  const ids: string[] = []
  for (let n = 0; n < backups; n += 1) {
    change(path, `INSERT INTO users (name) VALUES ('of backup ${n}')`)
    const { last } = await cliJson('backup', ['app.db'], { cwd })
    ids.push(last.backups[0]?.backup.id ?? '')
  }
  return { cwd, path, ids, at: (name: string) => join(cwd, name) }
}

const listed = async (cwd: string) =>
  (await cliJson('list', ['app'], { cwd })).last.databases[0]?.backups.map(({ id }) => id)

describe('expire', () => {
  it('says why each backup is kept or dropped, asks where somebody can answer, and keeps what it says', async (context) => {
    const { cwd, ids, at } = await backedUp(context, 5)
    const policy = ['--keep-last', '2', '--window', '0']
    const dry = await cliOk(['expire', 'app', ...policy, '--dry-run'], { cwd })
    assert.match(dry.stdout, new RegExp(`drop +${ids[0]} .*no rule keeps it`))
    assert.match(dry.stdout, new RegExp(`keep +${ids[4]} .*the newest, the newest of a sound database, last`))
    assert.match(dry.stdout, /would keep 2 backups, drop 3\./)
    assert.match(dry.stdout, /Nothing was changed\.\n$/)
    assert.deepEqual(await listed(cwd), ids)

    const unasked = await cliJsonError(['expire', 'app', ...policy], { cwd })
    assert.equal(unasked.last.code, 'USAGE')
    assert.match(unasked.last.hint ?? '', /--yes/)
    assert.deepEqual(await listed(cwd), ids)

    const { last } = await cliJson('expire', ['app', ...policy, '--yes'], { cwd })
    assert.deepEqual([last.keep.map(({ backup: { id } }) => id), last.deleted], [ids.slice(3), []])
    assert.ok(last.waiting.length > 0 && last.waitingBytes > 0)
    assert.deepEqual(await listed(cwd), ids.slice(3))
    const { last: later } = await cliJson('expire', ['app', ...policy, '--grace', '0', '--yes'], { cwd })
    assert.equal(later.deleted.length, last.waiting.length)

    await cliOk(['verify', 'app', '--level', 'restore'], { cwd })
    for (const [n, id] of ids.slice(3).entries()) {
      await cliOk(['restore', 'app', '--backup', id, '--to', `${id}.db`], { cwd })
      assert.equal(count(at(`${id}.db`), 'users'), 20 + 4 + n)
    }
    const { ended } = await cliJsonError(['restore', 'app', '--backup', ids[0] ?? '', '--to', 'gone.db'], { cwd })
    assert.equal(ended.code, 4)
  })

  it('of every database makes, shows and confirms all plans first, each by its own policy, and records each', async (context) => {
    const { cwd, ids } = await backedUp(context, 3)
    const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
    makeDatabase(join(cwd, 'shop.db'), { rows: 20 })
    for (let n = 0; n < 2; n += 1) await cliOk(['backup', 'shop.db', '--type', 'full'], { cwd, env })
    await writeFile(
      join(cwd, 'holdfast.yaml'),
      'repository: ./backups\ndatabases:\n  - { path: app.db, retention: { last: 1, window: 1ms } }\n  - { path: shop.db, retention: { last: 9 } }\n',
    )
    const dry = await cliOk(['expire', '--dry-run'], { cwd, env })
    assert.match(dry.stdout, /app: would keep 1 backup, drop 2\.[\s\S]*shop: would keep 2 backups, drop 0\./)
    const unasked = await cliJsonError(['expire'], { cwd, env })
    assert.equal(unasked.last.code, 'USAGE')
    assert.deepEqual(await listed(cwd), ids)
    const { last } = await cliJson('expire', ['--yes'], { cwd, env })
    assert.deepEqual([last.database, last.policy, last.keep.length, last.drop.length], [null, null, 3, 2])
    assert.deepEqual(last.deleted, [], 'what is dropped now is deleted by a later run')
    assert.deepEqual(await listed(cwd), ids.slice(2))
    const { stdout } = await cliOk(['history', '--kind', 'expire'], { cwd, env })
    assert.match(
      stdout,
      /app +succeeded +2 backups let go, 1 new segment, 0 B freed, [\d.]+ [KM]?i?B to be freed later\n/,
    )
    assert.match(stdout, /shop +succeeded +0 B freed\n/)
  })

  it('of every database does what it can where one cannot be read, and ends with the worst', async (context) => {
    const { cwd, ids, at } = await backedUp(context, 3)
    const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
    const names = ['other', 'zoo']
    for (const name of names) {
      makeDatabase(join(cwd, `${name}.db`), { rows: 20 })
      for (let n = 0; n < 3; n += 1) await cliOk(['backup', `${name}.db`, '--type', 'full'], { cwd, env })
    }
    const [folder, zoo] = [at('backups/databases/other/backups'), at('backups/databases/zoo')]
    const [manifest = ''] = await readdir(folder)
    await writeFile(join(folder, manifest), 'nonsense')
    // A plan can be made of what cannot be merged.
    const [segment = ''] = await readdir(join(zoo, 'segments'))
    const bytes = await readFile(join(zoo, 'segments', segment))
    await writeFile(join(zoo, 'segments', segment), bytes.subarray(0, bytes.length - 9))
    const policy = ['--keep-last', '1', '--window', '0']

    const dry = await cli(['expire', ...policy, '--dry-run'], { cwd, env })
    assert.equal(dry.code, 5)
    assert.match(dry.stdout, /app: would keep 1 backup, drop 2\.[\s\S]*zoo: would keep 1 backup, drop 2\./)
    assert.match(dry.stderr, /Not expired: other\. Nothing is deleted/)

    const done = await cli(['expire', ...policy, '--yes', '--json'], { cwd, env })
    assert.equal(done.code, 5)
    const result = JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '')
    assert.deepEqual(
      result.failures.map((failure: { database: string; code: string }) => [failure.database, failure.code]),
      [
        ['other', 'INTEGRITY'],
        ['zoo', 'INTEGRITY'],
      ],
    )
    assert.deepEqual([result.keep.length, result.drop.length], [1, 2])
    assert.deepEqual(await listed(cwd), ids.slice(2))
    const { stdout } = await cli(['history', '--kind', 'expire'], { cwd, env })
    assert.match(stdout, /app +succeeded +2 backups let go/)
    for (const name of names) assert.match(stdout, new RegExp(`${name} +FAILED INTEGRITY +Nothing is deleted`))
  })

  it('has a default that is written into what it says', async (context) => {
    const { cwd } = await backedUp(context, 1)
    const { last } = await cliJson('expire', ['app', '--dry-run'], { cwd })
    const { daily, weekly, monthly, yearly, maxBackups, window } = last.policy ?? assert.fail()
    assert.deepEqual([daily, weekly, monthly, yearly, maxBackups, window], [7, 4, 12, 7, 100, 604_800_000])
    assert.equal(last.policyFrom, 'default')
    // There is nothing to ask about.
    await cliOk(['expire', 'app'], { cwd })
  })

  it('takes the policy of the configuration, where that speaks of the database', async (context) => {
    const { cwd } = await backedUp(context, 3)
    await writeFile(
      join(cwd, 'holdfast.yaml'),
      'repository: ./backups\ndatabases:\n  - path: app.db\n    retention: { last: 2, window: 1h, timeZone: Europe/Berlin }\n',
    )
    const { last } = await cliJson('expire', ['app', '--dry-run'], { cwd })
    assert.deepEqual(
      [last.policyFrom, last.policy?.last, last.policy?.daily, last.policy?.window, last.policy?.timeZone],
      ['configuration', 2, null, 3_600_000, 'Europe/Berlin'],
    )
    const { last: given } = await cliJson('expire', ['app', '--keep-last', '9', '--dry-run'], { cwd })
    assert.deepEqual([given.policyFrom, given.policy?.last], ['options', 9])
  })

  it('refuses a policy that makes no sense, and names what is wrong', async (context) => {
    const { cwd } = await backedUp(context, 1)
    const zone = await cli(['expire', 'app', '--keep-daily', '7', '--time-zone', 'Mars/Base', '--dry-run'], { cwd })
    assert.equal(zone.code, 2)
    assert.match(zone.stderr, /"Mars\/Base" is no time zone/)
    const nothing = await cli(['expire', 'app', '--keep-last', '0', '--dry-run'], { cwd })
    assert.equal(nothing.code, 2)
    assert.match(nothing.stderr, /keeps nothing/)
    assert.equal((await cli(['expire', 'app', '--keep-within', 'soon'], { cwd })).code, 2)
  })

  it('deletes nothing while an object cannot be read, and names it', async (context) => {
    const { cwd, at } = await backedUp(context, 3)
    const { last } = await cliJson('list', ['app'], { cwd })
    const backup = last.databases[0]?.backups[1]
    const key = at(`backups/${backup?.segment}`)
    const bytes = await readFile(key)
    await writeFile(key, bytes.subarray(0, bytes.length - 9))
    const before = await listed(cwd)
    const failed = await cliJsonError(['expire', 'app', '--keep-last', '1', '--window', '0', '--yes'], { cwd })
    assert.deepEqual([failed.last.code, failed.last.object], ['INTEGRITY', backup?.segment])
    assert.match(failed.last.message, /^Nothing is deleted while /)
    assert.deepEqual(await listed(cwd), before)
  })

  it('simulates two years without a repository', async (context) => {
    const cwd = await scratchFolder(context)
    const { last } = await cliJson('expire', ['--simulate', '--keep-daily', '7', '--keep-monthly', '12'], { cwd })
    assert.equal(last.simulation?.made, 730)
    const monthly = last.simulation?.keep.filter(({ reasons }) => reasons.some(({ rule }) => rule === 'monthly'))
    assert.equal(monthly?.length, 12)
    const { stdout } = await cliOk(['expire', '--simulate', '--every', 'weekly', '--years', '1'], { cwd })
    assert.match(stdout, /Of 52 weekly backups in 1 year, \d+ would remain\./)
  })
})

describe('pin and unpin', () => {
  it('keep a backup, and let it go again', async (context) => {
    const { cwd, ids } = await backedUp(context, 3)
    const [first = ''] = ids
    const { last: pinned } = await cliJson('pin', [first.slice(0, 8)], { cwd })
    assert.deepEqual([pinned.backup.id, pinned.backup.pinned, pinned.changed], [first, true, true])
    assert.match((await cliOk(['list', 'app'], { cwd })).stdout, new RegExp(`${first} .*pinned`))
    assert.match((await cliOk(['pin', first], { cwd })).stdout, /^Nothing to do: .* is pinned already\./)
    const policy = ['expire', 'app', '--keep-last', '1', '--window', '0', '--yes']
    await cliOk(policy, { cwd })
    assert.deepEqual(await listed(cwd), [first, ids[2]])
    await cliOk(['unpin', first, '--database', 'app'], { cwd })
    await cliOk(policy, { cwd })
    assert.deepEqual(await listed(cwd), [ids[2]])
    assert.equal((await cli(['pin', first], { cwd })).code, 4)
  })
})

describe('compact', () => {
  it('says that there is nothing to do, and finishes what expire has begun', async (context) => {
    const { cwd, at } = await backedUp(context, 4)
    assert.match((await cliOk(['compact', 'app'], { cwd })).stdout, /nothing to do/)
    await cliOk(['expire', 'app', '--keep-last', '1', '--window', '0', '--yes'], { cwd })
    const { last } = await cliJson('compact', ['app', '--grace', '0'], { cwd })
    assert.ok(last.deleted.length > 0)
    await cliOk(['restore', 'app', '--latest', '--to', 'latest.db'], { cwd })
    assert.equal(count(at('latest.db'), 'users'), 24)
  })
})

describe('upkeep of a database that is being followed', () => {
  it('is done by the follower, which goes on without a gap', async (context) => {
    const cwd = await scratchFolder(context)
    const path = join(cwd, 'app.db')
    makeDatabase(path, { rows: 20 })
    await cliOk(['init'], { cwd })
    const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'state'])
    await follower.event('started')
    const ids: string[] = []
    for (let n = 0; n < 4; n += 1) {
      for (let row = 0; row < 5; row += 1) change(path, `INSERT INTO users (name) VALUES ('${n} ${row}')`)
      ids.push((await cliJson('backup', ['app.db'], { cwd })).last.backups[0]?.backup.id ?? '')
    }
    const args = ['app', '--keep-last', '2', '--window', '0', '--grace', '0', '--yes']
    const { last } = await cliJson('expire', args, { cwd })
    assert.deepEqual(
      last.keep.map(({ backup: { id } }) => id),
      ids.slice(2),
    )
    assert.ok(last.merged.length > 0 && last.deleted.length > 0)
    await cliJson('compact', ['app', '--grace', '0'], { cwd })
    change(path, "INSERT INTO users (name) VALUES ('last')")
    const { result } = await follower.interrupt()
    assert.deepEqual([result.databases[0]?.gaps, result.databases[0]?.error], [0, null])
    await cliOk(['verify', 'app', '--level', 'restore'], { cwd })
    for (const [n, id] of ids.slice(2).entries()) {
      await cliOk(['restore', 'app', '--backup', id, '--to', `${id}.db`], { cwd })
      assert.equal(count(join(cwd, `${id}.db`), 'users'), 20 + 5 * (n + 3))
    }
    await cliOk(['restore', 'app', '--latest', '--to', 'latest.db'], { cwd })
    assert.equal(count(join(cwd, 'latest.db'), 'users'), 41)
  })
})
