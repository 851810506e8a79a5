import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cli, cliOk, scratchFolder, startCli } from './support/cli.ts'
import { change, count, integrity, makeDatabase, startWriter } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function workplace(context: TestContext, journal: 'wal' | 'delete' = 'wal') {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'), { journal })
  await cliOk(['init'], { cwd })
  const follow = (...args: string[]) => new FollowerProgram(context, cwd, ['app.db', '--state', 'state', ...args])
  return { cwd, path: join(cwd, 'app.db'), at: (name: string) => join(cwd, name), follow }
}

describe('holdfast follow', () => {
  it('makes every commit of a busy database a restore point; the one before a bad DELETE comes back by its time', async (context) => {
    const { cwd, path, at, follow } = await workplace(context)
    await startWriter(context, path)
    const follower = follow()
    const started = await follower.event('started')
    assert.deepEqual([started.mode, started.how, started.lsn], ['commits', 'first', 1])
    await follower.event('uploaded', ({ lsn }) => lsn > 50)

    change(path, "INSERT INTO users (name) VALUES ('the last one')")
    await sleep(50)
    const noted = new Date().toISOString()
    await sleep(50)
    change(path, 'DELETE FROM orders')
    const { code, result } = await follower.interrupt()
    const [followed = assert.fail()] = result.databases
    assert.equal(code, 0)
    assert.deepEqual([followed.uploadedLsn, followed.left.segments, followed.gaps], [followed.lsn, 0, 0])
    assert.equal(followed.lsn, followed.commits + 1)

    const { stdout } = await cliOk(['restore', 'app', '--at', noted, '--before', '--to', 'recovered.db'], { cwd })
    assert.match(stdout, /state checksum [0-9a-f]{16} equal[\s\S]*integrity_check ok[\s\S]*replayed +[\d,]+ commits/)
    // The writer adds an order with every user; beside its own there is the last one.
    const [users, orders] = [count(at('recovered.db'), 'users'), count(at('recovered.db'))]
    assert.ok(orders > 240)
    assert.equal(users, orders + 1)
    assert.equal(integrity(at('recovered.db')), 'ok')

    const { last: list } = await cliJson('list', ['app'], { cwd })
    assert.deepEqual(
      [list.databases[0]?.followed?.fromLsn, list.databases[0]?.followed?.toLsn, list.databases[0]?.backups],
      [1, followed.lsn, []],
    )
    const { last: stats } = await cliJson('stats', ['app'], { cwd })
    assert.deepEqual(stats.total.followed, {
      segments: stats.total.segments,
      commits: followed.commits,
      bytes: stats.total.storedBytes,
    })
    const { last: estimate } = await cliJson('estimate', ['app', '--latest'], { cwd })
    assert.equal(estimate.plan.estimate.commitsToReplay, followed.commits)
    await cliOk(['verify', 'app'], { cwd })
  })

  it('goes on where it was left, and shows the windows and the gap between in a picture', async (context) => {
    const { cwd, path, follow } = await workplace(context)
    const first = follow()
    await first.event('started')
    for (let i = 0; i < 3; i += 1) change(path, "INSERT INTO users (name) VALUES ('new')")
    assert.equal((await first.interrupt('SIGTERM')).code, 0)

    const second = follow()
    assert.match((await second.event('started')).how, /resumed|unchanged/)
    await second.interrupt()

    change(path, "INSERT INTO users (name) VALUES ('unseen'); PRAGMA wal_checkpoint(TRUNCATE)")
    change(path, "INSERT INTO users (name) VALUES ('unseen, too')")
    const third = follow()
    assert.equal((await third.event('started')).how, 'healed')
    const gap = await third.event('gap')
    assert.equal(gap.toLsn, gap.fromLsn + 1)
    change(path, "INSERT INTO users (name) VALUES ('seen')")
    const { code, result } = await third.interrupt()
    assert.deepEqual([code, result.databases[0]?.gaps], [3, 1])
    assert.match(third.warnings.join(), /cannot be restored one by one/)

    const { stdout } = await cliOk(['points', 'app'], { cwd })
    assert.match(
      stdout,
      /\n━+┄*━+\n\n● 20.* LSN 1\n┃ every one of 3 commits, in .*\n● 20.* LSN 4\n┆ .*: .*\n● 20.* LSN 5\n┃ every one of 1 commit, in .*\n● 20.* LSN 6\n/,
    )
    const between = new Date((Date.parse(gap.fromTime) + Date.parse(gap.toTime)) / 2).toISOString()
    const { last } = await cliJsonError(['restore', 'app', '--at', between, '--to', 'out.db'], { cwd })
    assert.equal(last.code, 'NOT_RESTORABLE')
    assert.match(`${last.hint}`, /--lsn 4 --to out\.db .*\n.*--lsn 5 --to out\.db /)
  })

  it('loses nothing that it said to be uploaded when it is killed, and heals on restart', async (context) => {
    const { cwd, path, at, follow } = await workplace(context)
    await startWriter(context, path)
    let uploaded = 0
    for (let round = 0; round < 3; round += 1) {
      const follower = follow('--sync-interval', '100ms')
      const { lsn } = await follower.event('started')
      assert.ok(lsn >= uploaded)
      uploaded = (await follower.event('uploaded', (line) => line.lsn > lsn + 20)).lsn
      await follower.kill()
      await cliOk(['restore', 'app', '--lsn', `${uploaded}`, '--to', `restored-${round}.db`], { cwd })
      assert.equal(integrity(at(`restored-${round}.db`)), 'ok')
    }
    const last = follow()
    await last.event('uploaded')
    const { result } = await last.interrupt()
    assert.equal(result.databases[0]?.left.segments, 0)
    await cliOk(['verify', 'app', '--level', 'data'], { cwd })
  })

  it('is refused while another one follows the same database', async (context) => {
    const { cwd, follow } = await workplace(context)
    const first = follow()
    await first.event('started')
    const { last } = await cliJsonError(['follow', 'app.db', '--state', 'other-state'], { cwd })
    assert.deepEqual([last.code, last.exitCode], ['LEASE_HELD', 6])
    assert.equal((await first.interrupt()).code, 0)
    await cliOk(['backup', 'app.db'], { cwd })
  })

  it('says what is missing: the repository, the database', async (context) => {
    const { cwd } = await workplace(context)
    const { last: noRepository } = await cliJsonError(['follow', 'app.db', '-r', 'elsewhere', '--state', 's'], { cwd })
    assert.deepEqual([noRepository.code, noRepository.exitCode], ['REPOSITORY_NOT_FOUND', 4])
    const { last: noDatabase } = await cliJsonError(['follow', 'app.db', 'missing.db', '--state', 's'], { cwd })
    assert.deepEqual([noDatabase.code, noDatabase.exitCode], ['DATABASE_NOT_FOUND', 4])
    assert.deepEqual(readdirSync(cwd).includes('missing.db'), false)
    const { last: twice } = await cliJsonError(['follow', 'app.db', 'sub/app.db'], { cwd })
    assert.equal(twice.code, 'USAGE')
  })

  it('keeps one state an interval of a database without a write-ahead log, and says so', async (context) => {
    const { cwd, path, follow } = await workplace(context, 'delete')
    const follower = follow('--delta-interval', '100ms')
    assert.equal((await follower.event('started')).mode, 'deltas')
    for (let lsn = 2; lsn <= 3; lsn += 1) {
      change(path, "INSERT INTO users (name) VALUES ('new')")
      await follower.event('uploaded', (line) => line.lsn >= lsn)
    }
    assert.equal((await follower.interrupt()).result.databases[0]?.mode, 'deltas')
    const { stdout } = await cliOk(['points', 'app'], { cwd })
    assert.match(stdout, /● .* LSN 1\n┆ .*: the database has no write-ahead log\n● .* LSN 2\n/)
    assert.equal(journalMode(path), 'delete')
  })

  it('switches a database to a write-ahead log only when asked to', async (context) => {
    const { path, follow } = await workplace(context, 'delete')
    const follower = follow('--enable-wal')
    assert.equal((await follower.event('started')).mode, 'commits')
    assert.equal(journalMode(path), 'wal')
    change(path, "INSERT INTO users (name) VALUES ('new')")
    await follower.event('uploaded', ({ lsn }) => lsn === 2)
    await follower.interrupt()
  })

  it('tells people, line by line where there is no terminal', async (context) => {
    const { cwd, path } = await workplace(context)
    const { child, ended } = startCli(['follow', 'app.db', '--state', 'state'], { cwd })
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    await sleep(1500)
    change(path, "INSERT INTO users (name) VALUES ('new')")
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /Following .*app\.db as app\.\napp: its first state is stored: LSN 1 of 20.* From here on every commit can be restored\.\n/,
    )
    assert.match(stderr, /app: 0 commits, lag 0 ms, log [\d.]+ [KM]?i?B, nothing to upload yet\n/)
    assert.match(stdout, /^app: 1 commit followed; everything up to LSN 2 is in the repository\.\n$/)
  })

  it('does not say of a database that only had backups that it was left', async (context) => {
    const { cwd, path } = await workplace(context)
    await cliOk(['backup', 'app.db'], { cwd })
    change(path, "INSERT INTO users (name) VALUES ('new')")
    const { child, ended } = startCli(['follow', 'app.db', '--state', 'state'], { cwd })
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
      // A second signal would end it at once.
      if (!child.killed && told.includes('every commit can be restored')) child.kill('SIGINT')
    })
    assert.equal((await ended).code, 0, told)
    assert.match(told, /^app: what changed since its newest kept state is stored: LSN 2 of 20/m)
    assert.doesNotMatch(told, /left/)
  })

  it('follows several databases at once', async (context) => {
    const { cwd, path, at } = await workplace(context)
    makeDatabase(at('other.db'))
    const follower = new FollowerProgram(context, cwd, ['app.db', 'other.db', '--state', 'state'])
    for (const database of ['app', 'other']) await follower.event('started', (line) => line.database === database)
    for (const file of [path, at('other.db')]) change(file, "INSERT INTO users (name) VALUES ('new')")
    const { code, result } = await follower.interrupt()
    assert.deepEqual(
      [code, result.databases.map(({ database, lsn, uploadedLsn }) => [database, lsn, uploadedLsn])],
      [
        0,
        [
          ['app', 2, 2],
          ['other', 2, 2],
        ],
      ],
    )
    const { code: ambiguous } = await cli(['follow', 'app.db', 'other.db', '--database', 'one'], { cwd })
    assert.equal(ambiguous, 2)
  })
})

function journalMode(path: string): unknown {
  using database = new DatabaseSync(path)
  return database.prepare('PRAGMA journal_mode').get()?.['journal_mode']
}
