import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { AgentProgram, AlertReceiver, writeConfig } from './support/agent.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, integrity, makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

const follow = { syncInterval: '100ms' }

async function workplace(context: TestContext, config: object) {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  writeConfig(cwd, config)
  const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
  return {
    cwd,
    env,
    path: join(cwd, 'app.db'),
    at: (name: string) => join(cwd, name),
    agent: () => new AgentProgram(context, cwd),
    status: async () => (await cliJson('status', [], { cwd, env })).last,
  }
}

const workersOf = z.object({ workers: z.array(z.int()) })

describe('holdfast run', () => {
  it('follows what the configuration says, backs up on schedule, and loses nothing over a stop', async (context) => {
    const { cwd, env, path, at, agent, status } = await workplace(context, {
      databases: [{ path: 'app.db', follow, schedules: [{ id: 'often', type: 'incremental', every: '2s' }] }],
    })
    const first = agent()
    await first.line(/^Following app/)
    await first.line(/^backup \(incremental\) of app: done/)
    const { health, databases } = await status()
    assert.equal(health, 'ok')
    assert.equal(databases[0]?.following?.state, 'following')
    assert.equal(databases[0]?.next?.schedule, 'often')
    change(path, "INSERT INTO users (name) VALUES ('the last one')")
    assert.equal(await first.stop(), 0)

    const second = agent()
    assert.match((await second.line(/^Following app/)).message, /no commit missing|unchanged/)
    await cliOk(['backup', 'app.db', '--type', 'snapshot', '--name', 'by-hand'], { cwd, env })
    assert.equal(await second.stop(), 0)
    const plain = [...first.lines, ...second.lines].filter(({ level }) => level === 'none')
    assert.deepEqual(plain, [], 'every line is JSON')
    await cliOk(['restore', 'app', '--name', 'by-hand', '--to', 'restored.db'], { cwd, env })
    assert.equal(integrity(at('restored.db')), 'ok')
    using restored = new DatabaseSync(at('restored.db'))
    assert.equal(restored.prepare("SELECT count(*) AS n FROM users WHERE name = 'the last one'").get()?.['n'], 1)
    const { stdout } = await cliOk(['history', 'app', '--json'], { cwd, env })
    for (const trigger of ['schedule', 'manual'])
      assert.match(
        stdout,
        new RegExp(`"kind":"backup".*"trigger":"${trigger}"|"trigger":"${trigger}".*"kind":"backup"`),
      )
  })

  it('backs up after so many commits, tells its health and metrics, and sees that the configuration was changed', async (context) => {
    const server = { listen: '127.0.0.1:0' }
    const databases = [{ path: 'app.db', follow, schedules: [{ id: 'busy', type: 'incremental', afterCommits: 5 }] }]
    const { cwd, path, agent } = await workplace(context, { databases, server })
    const running = agent()
    const { message } = await running.line(/^Metrics and health are at /)
    const [url = assert.fail()] = /http:\S+\d/.exec(message) ?? []
    await running.line(/^Following app/)
    for (let commit = 0; commit < 5; commit += 1) change(path, "INSERT INTO users (name) VALUES ('one more')")
    await running.line(/^backup \(incremental\) of app: done/)
    const health = await fetch(`${url}/healthz`)
    assert.equal(health.status, 200)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /^holdfast_last_success_timestamp_seconds\{[^}]*operation="backup"[^}]*\} \d/m)
    assert.match(metrics, /^holdfast_durable_lsn\{database="app"\} \d/m)
    makeDatabase(join(cwd, 'other.db'))
    writeConfig(cwd, { databases: [...databases, { path: 'other.db', follow }], server })
    await running.line(/^Following other/)
    assert.equal(await running.stop(), 0)
  })

  it('backs up a database that has no backup at once, and keeps doing what is due: verify, drill, expire, compact', async (context) => {
    const { cwd, env, agent } = await workplace(context, {
      databases: [
        {
          path: 'app.db',
          follow: false,
          schedules: [
            { id: 'nightly', type: 'full', every: 'daily' },
            { id: 'check', type: 'verify', every: '3s' },
            { id: 'try', type: 'drill', every: '3s' },
            { id: 'old', type: 'expire', every: '3s' },
            { id: 'small', type: 'compact', every: '3s' },
          ],
          retention: { daily: 7 },
          drill: { assertions: ['SELECT count(*) = 200 FROM users'] },
        },
      ],
    })
    const running = agent()
    await running.line(/^backup \(full\) of app: done/)
    for (const what of [
      /^verify .*of app: done/,
      /^drill of app: done/,
      /^expire of app: done/,
      /^compact of app: done/,
    ])
      await running.line(what)
    assert.equal(await running.stop(), 0)
    const { stdout } = await cliOk(['list', 'app'], { cwd, env })
    assert.match(stdout, /drill/i)
    const shown = await cliJson('list', ['app'], { cwd, env })
    assert.equal(shown.last.databases[0]?.backups.length, 1)
  })

  it('says at once what is wrong, and when it is over', async (context) => {
    const receiver = await AlertReceiver.listen(context)
    const { at, agent, status } = await workplace(context, {
      databases: [
        { path: 'app.db', follow },
        { path: 'later.db', follow },
      ],
      notify: [{ webhook: { url: receiver.url } }],
    })
    const running = agent()
    const fired = await receiver.alert(({ state }) => state === 'firing')
    assert.match(fired.summary, /later/)
    assert.equal((await status()).health, 'failing')
    makeDatabase(at('later.db'))
    await receiver.alert(({ state, summary }) => state === 'recovered' && /later/.test(summary))
    assert.equal((await status()).health, 'ok')
    const { stdout } = await cli(['status'], { cwd: at('.'), env: { XDG_STATE_HOME: at('xdg') } })
    assert.match(stdout, /^All is well\./)
    await running.stop()
  })

  it('goes on after a worker was killed, without a gap', async (context) => {
    const { cwd, env, path, agent, status } = await workplace(context, { databases: [{ path: 'app.db', follow }] })
    const running = agent()
    await running.line(/^Following app/)
    // The last connection that is closed deletes the log.
    using application = new DatabaseSync(path, { timeout: 5000 })
    application.exec("INSERT INTO users (name) VALUES ('one')")
    // Before that, nothing is known of the log, which is as new as the connection.
    await running.line(/^Uploaded commits of app/)
    const [worker = assert.fail()] = workersOf.parse(await status()).workers
    const before = running.lines.length
    process.kill(worker, 'SIGKILL')
    await running.line(/^Following app failed/, before)
    application.exec("INSERT INTO users (name) VALUES ('two')")
    await running.line(/^Following app: .*(no commit missing|unchanged)/, before)
    await running.stop()
    const { last } = await cliJson('points', ['app'], { cwd, env })
    assert.deepEqual(last.gaps, [])
    assert.equal(last.windows.at(-1)?.toLsn, 3)
  })

  it('says after a kill that it was killed, and every commit is there', async (context) => {
    const receiver = await AlertReceiver.listen(context)
    const { cwd, env, path, at, agent } = await workplace(context, {
      databases: [{ path: 'app.db', follow }],
      notify: [{ webhook: { url: receiver.url } }],
    })
    const first = agent()
    await first.line(/^Following app/)
    for (let i = 0; i < 5; i += 1) change(path, "INSERT INTO users (name) VALUES ('more')")
    await first.kill()
    change(path, "INSERT INTO users (name) VALUES ('while nobody looked')")
    const second = agent()
    await second.line(/^Following app/)
    await receiver.alert(({ kind, state }) => kind === 'agent' && state === 'firing')
    await second.stop()
    await cliOk(['restore', 'app', '--latest', '--to', 'restored.db'], { cwd, env })
    assert.equal(count(at('restored.db'), 'users'), 206)
  })

  it('is refused beside another with the same state folder', async (context) => {
    const { agent } = await workplace(context, { databases: [{ path: 'app.db', follow }] })
    const first = agent()
    await first.line(/^The agent runs/)
    const second = agent()
    assert.equal(await second.ended(), 6)
    await second
      .line(/Another agent runs with this state folder/)
      .catch(() => assert.fail(JSON.stringify(second.lines)))
    assert.equal(await first.stop(), 0)
    const third = agent()
    await third.line(/^The agent runs/)
    await third.stop()
  })

  it('waits for another agent on the same repository, says so, and takes over when that one stops', async (context) => {
    const { cwd, at, agent, status } = await workplace(context, { databases: [{ path: 'app.db', follow }] })
    const first = agent()
    await first.line(/^Following app/)
    const other = await scratchFolder(context)
    writeConfig(other, { repository: at('backups'), databases: [{ path: at('app.db'), follow }] })
    const second = new AgentProgram(context, other)
    await second.line(/^Following app failed, and will be tried again. Another process works on app/)
    assert.equal((await status()).health, 'ok')
    await first.stop()
    await second.line(/^Following app: /)
    await second.stop()
    await cliOk(['verify', 'app'], { cwd })
  })

  it('reads its configuration anew on SIGHUP: what is new is added, what is gone is dropped, and following goes on', async (context) => {
    const { cwd, at, agent, status } = await workplace(context, {
      databases: [
        { path: 'app.db', follow },
        { glob: 'tenants/*/*.db', follow },
      ],
    })
    for (const name of ['acme', 'bolt']) {
      mkdirSync(at(`tenants/${name}`), { recursive: true })
      makeDatabase(at(`tenants/${name}/data.db`))
    }
    const running = agent()
    for (const name of ['app', 'acme-data', 'bolt-data'])
      await running.line(new RegExp(`^Following ${name}: its first state`))
    rmSync(at('tenants/acme'), { recursive: true })
    renameSync(at('tenants/bolt'), at('tenants/bolts'))
    const before = running.lines.length
    running.signal('SIGHUP')
    await running.line(/^acme-data is not looked after any more/, before)
    await running.line(/^Following bolts-data: its first state/, before)
    assert.deepEqual((await status()).databases.map(({ name }) => name).sort(), ['app', 'bolts-data'])
    assert.ok(!running.lines.slice(before).some(({ message }) => message.startsWith('Following app:')))

    const databases = [
      { path: 'app.db', follow },
      { glob: 'tenants/*/*.db', follow },
    ]
    writeConfig(cwd, { databases, concurrency: 3 })
    running.signal('SIGHUP')
    await running.line(/^"concurrency" has changed: that takes effect when the agent is started again/)

    writeConfig(cwd, { databases: [{ path: 'app.db', folow: follow }] })
    running.signal('SIGHUP')
    await running.line(/could not be read anew, so the present one stays in force/)
    assert.equal((await status()).databases.length, 2)
    assert.equal(await running.stop(), 0)
  })

  it('runs hooks: one before a backup can skip it, one after it sees how it ended', async (context) => {
    const { at, agent } = await workplace(context, {
      databases: [
        {
          path: 'app.db',
          follow: false,
          schedules: [{ type: 'full', every: 'daily' }],
          hooks: [
            { before: ['backup'], command: 'test -e go || exit 75' },
            { after: ['backup'], command: 'echo "$HOLDFAST_DATABASE $HOLDFAST_OUTCOME $HOLDFAST_BACKUP_ID" > told' },
          ],
        },
      ],
    })
    const first = agent()
    await first.line(/asked to skip it/)
    await first.stop()
    makeDatabase(at('go'))
    const second = agent()
    await second.line(/^backup \(full\) of app: done/)
    await second.stop()
    assert.match(readFileSync(at('told'), 'utf8'), /^app succeeded [a-z0-9]{12}\n$/)
  })

  it('stops though a worker hangs, and the next start goes on from there', async (context) => {
    const { path, agent, status } = await workplace(context, {
      stopTimeout: '1s',
      databases: [{ path: 'app.db', follow }],
    })
    const first = agent()
    await first.line(/^Following app/)
    // The last connection that is closed would delete the log.
    using application = new DatabaseSync(path, { timeout: 5000 })
    application.exec("INSERT INTO users (name) VALUES ('one')")
    // Before that, nothing is known of the log, which is as new as the connection.
    await first.line(/^Uploaded commits of app/)
    const [worker = assert.fail()] = workersOf.parse(await status()).workers
    process.kill(worker, 'SIGSTOP')
    application.exec("INSERT INTO users (name) VALUES ('two')")
    assert.equal(await first.stop(), 0)
    assert.throws(() => process.kill(worker, 0), { code: 'ESRCH' })
    const second = agent()
    await second.line(/^Following app: .*(no commit missing|unchanged)/)
    assert.equal(await second.stop(), 0)
  })

  it('stops in the middle of reading its configuration again and again, and begins nothing anew', async (context) => {
    const { agent } = await workplace(context, { databases: [{ glob: '*.db', follow }] })
    const running = agent()
    await running.line(/^Following app/)
    for (let time = 0; time < 50; time += 1) {
      running.signal('SIGHUP')
      await setImmediate()
    }
    await running.line(/was read anew/)
    running.signal('SIGHUP')
    assert.equal(await running.stop(), 0)
    assert.equal(running.lines.at(-1)?.message, 'The agent has stopped.')
    assert.equal(running.lines.filter(({ message }) => message.startsWith('Following app:')).length, 1)
  })

  it('looks after a database again that went away and came back, as another kind of thing meanwhile', async (context) => {
    const { at, agent, status } = await workplace(context, { databases: [{ glob: '*.db', follow }] })
    const running = agent()
    await running.line(/^Following app/)
    renameSync(at('app.db'), at('app.away'))
    mkdirSync(at('app.db'))
    let seen = running.lines.length
    running.signal('SIGHUP')
    await running.line(/was read anew/, seen)
    rmSync(at('app.db'), { recursive: true })
    seen = running.lines.length
    running.signal('SIGHUP')
    await running.line(/^app is not looked after any more/, seen)
    makeDatabase(at('app.db'))
    seen = running.lines.length
    running.signal('SIGHUP')
    await running.line(/^Following app: /, seen)
    assert.equal((await status()).databases.length, 1)
    assert.equal(await running.stop(), 0)
  })

  it('is not there to be asked when it does not run', async (context) => {
    const { cwd, env } = await workplace(context, { databases: [{ path: 'app.db' }] })
    const { code, stderr } = await cli(['status'], { cwd, env })
    assert.equal(code, 4)
    assert.match(stderr, /No agent runs/)
  })
})
