import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { cli, cliOk, type Ended, scratchFolder, startCli } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

interface Place {
  readonly folder: string
  readonly config: string
  readonly options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }
  ok(...args: string[]): Promise<Ended>
}

/** A folder with a repository, a database and a configuration, whose agent has its state there too. */
async function place(context: TestContext, settings: string): Promise<Place> {
  const folder = await scratchFolder(context)
  const config = join(folder, 'holdfast.yaml')
  const options = { cwd: folder, env: { XDG_STATE_HOME: join(folder, 'state') } }
  makeDatabase(join(folder, 'app.db'))
  await writeFile(config, `# ours\nrepository: ./backups   # here\ndatabases:\n${settings}`)
  const ok = (...args: string[]) => cliOk(args, options)
  await ok('init')
  return { folder, config, options, ok }
}

const unfollowed = '  - path: app.db   # the app\n    follow: false\n    verify: false\n'

/** Runs until it is disposed of. */
async function startAgent({ options }: Place): Promise<AsyncDisposable> {
  const { child, ended } = startCli(['run'], options)
  const agent = {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
  const notRunning = 4
  while (child.exitCode === null && (await cli(['status'], options)).code === notRunning) await pause(50)
  if (child.exitCode !== null) throw new Error(`The agent ended: ${(await ended).stderr}`)
  return agent
}

describe('schedule list', () => {
  it('shows a run by hand, and that it was killed', async (context) => {
    const { options, ok, config } = await place(
      context,
      `${unfollowed}    schedules: [{ id: now, type: full, every: weekly }]\n`,
    )
    const outcome = async () => (await cliJson('schedule list', [], options)).last.schedules[0]?.outcome
    assert.equal(await outcome(), null)
    await ok('schedule', 'run', 'app', 'now')
    assert.equal(await outcome(), 'succeeded')
    await writeFile(config, `${await readFile(config, 'utf8')}    drill: { every: weekly, command: "sleep 60" }\n`)
    const drill = async () => {
      const { schedules } = (await cliJson('schedule list', [], options)).last
      return schedules.find(({ id }) => id === 'drill-weekly')?.outcome
    }
    const { child, ended } = startCli(['schedule', 'run', 'app', 'drill-weekly'], options)
    while ((await drill()) !== 'running') if (child.exitCode !== null) assert.fail((await ended).stderr)
    child.kill('SIGKILL')
    await ended
    assert.equal(await drill(), 'interrupted')
    assert.equal(await outcome(), 'succeeded')
  })

  it('shows what is done when, and that no agent does it', async (context) => {
    const { options } = await place(
      context,
      `  - path: app.db
    verify: false
    schedules:
      - { type: full, every: weekly, at: sunday 02:30, timeZone: Europe/Berlin }
      - { id: often, type: incremental, afterCommits: 1000 }
      - { id: calm, type: snapshot, quiet: 10m }
`,
    )
    const { code, stdout, stderr } = await cli(['schedule', 'list'], options)
    assert.equal(code, 0)
    assert.match(stdout, /^DATABASE +ID +WHAT +LAST RUN +NEXT RUN\n/)
    assert.match(
      stdout,
      /\napp +full-weekly-\w{6} +full backup every Sunday at 02:30 Europe\/Berlin +never +20.* 02:30:00/,
    )
    assert.match(stdout, /\napp +often +incremental backup after 1,000 commits +never +after 1,000 more commits\n/)
    assert.match(stdout, /\napp +calm +snapshot after 10 min without a commit +never +after the next commit\n/)
    assert.match(stderr, /No agent runs/)

    const { last } = await cliJson('schedule list', ['app'], options)
    assert.equal(last.agent, false)
    assert.deepEqual(
      last.schedules.map(({ id, action, outcome, lastStarted }) => [id, action, outcome, lastStarted]).slice(1),
      [
        ['often', 'incremental', null, null],
        ['calm', 'snapshot', null, null],
      ],
    )
    assert.match((await cliJsonError(['schedule', 'list', 'other'], options)).last.message, /no database "other"/)
  })

  it('says what is wrong with the configuration, or that there is none', async (context) => {
    const { folder, config, options } = await place(context, unfollowed)
    await writeFile(
      config,
      'repository: ./b\ndatabases:\n  - path: app.db\n    schedules: [{ type: full, every: sometimes }]\n',
    )
    const { code, stderr } = await cli(['schedule', 'list'], options)
    assert.equal(code, 2)
    assert.match(stderr, /holdfast\.yaml:4:.*sometimes/)
    assert.equal((await cli(['schedule', 'list', '--config', join(folder, 'none.yaml')], options)).code, 2)
  })
})

describe('schedule add and remove', () => {
  it('change the configuration, and nothing else in it', async (context) => {
    const { folder, config, options, ok } = await place(context, unfollowed)
    const before = await readFile(config, 'utf8')
    await chmod(config, 0o640)
    await symlink(config, join(folder, 'link.yaml'))
    const { stdout, stderr } = await ok(
      'schedule',
      'add',
      'app',
      '--type',
      'full',
      '--every',
      'weekly',
      '--config',
      'link.yaml',
    )
    assert.match(stdout, /^app: full backup every Sunday at 00:00 UTC, as "full-weekly" in .*link\.yaml\.\n$/)
    assert.match(stderr, /a list of schedules of its own now/)
    const listed =
      '    schedules:\n      - { type: incremental, every: daily }\n      - { type: full, every: weekly }\n'
    assert.equal(await readFile(config, 'utf8'), before + listed)
    assert.equal((await stat(config)).mode & 0o777, 0o640)
    assert.match((await ok('config', 'check')).stdout, /is fine/)

    const { last } = await cliJson(
      'schedule add',
      [
        'app.db',
        '--type',
        'incremental',
        '--cron',
        '0 4 * * 1-5',
        '--time-zone',
        'Europe/Berlin',
        '--id',
        'early',
        '--jitter',
        '5m',
        '--tag',
        'by=cron',
      ],
      options,
    )
    assert.equal(last.description, 'incremental backup by cron "0 4 * * 1-5" Europe/Berlin, up to 5 min later')
    assert.deepEqual([last.database, last.id, last.copied, last.inForce], ['app', 'early', false, false])
    assert.match(last.next ?? '', /T0[23]:00:00\.000Z$/)

    await ok('schedule', 'remove', 'app', 'early')
    await ok('schedule', 'remove', 'app', 'incremental-daily')
    assert.equal(await readFile(config, 'utf8'), `${before}    schedules:\n      - { type: full, every: weekly }\n`)
  })

  it('change nothing when that would be wrong', async (context) => {
    const { config, options } = await place(
      context,
      `  - path: app.db
    follow: false
    schedules: [{ type: full, every: daily }]
  - glob: tenants/*.db
`,
    )
    const before = await readFile(config, 'utf8')
    const refused = async (expected: RegExp, ...args: string[]) => {
      const { last } = await cliJsonError(['schedule', ...args], options)
      assert.match(`${last.message} ${last.hint}`, expected)
      assert.equal(await readFile(config, 'utf8'), before)
      return last.code
    }
    await refused(/got "sometimes"/, 'add', 'app', '--type', 'full', '--every', 'sometimes')
    await refused(/One of every, cron/, 'add', 'app', '--type', 'full')
    await refused(/a schedule "full-daily" already/, 'add', 'app', '--type', 'full', '--every', 'daily')
    await refused(
      /Nothing was changed.*with "follow: false", nothing notices commits/,
      ...['add', 'app', '--type', 'incremental', '--after-commits', '100'],
    )
    await refused(/no database "other".*It has app, .*tenants/s, 'add', 'other', '--type', 'full', '--every', 'daily')
    await refused(/required option '-t, --type/i, 'add', 'app', '--every', 'daily')
    await refused(/Nothing was changed.*Nothing backs up this database/, 'remove', 'app', 'full-daily')
    await refused(/it follows from "expire", "compact", "verify"/, 'remove', 'app', 'verify-weekly')
    assert.equal(await refused(/no schedule "none"/, 'remove', 'app', 'none'), 'SCHEDULE_NOT_FOUND')
  })

  it('are all done that are asked for at the same time', async (context) => {
    const { config, options } = await place(context, `${unfollowed}    schedules: [{ type: full, every: daily }]\n`)
    const hours = [1, 2, 3, 4]
    const add = (hour: number) =>
      cli(['schedule', 'add', 'app', '--type', 'full', '--every', 'daily', '--at', `0${hour}:00`], options)
    for (const { code, stderr } of await Promise.all(hours.map(add))) assert.equal(code, 0, stderr)
    const text = await readFile(config, 'utf8')
    for (const hour of hours) assert.match(text, new RegExp(`at: "?0${hour}:00`))
    assert.deepEqual(
      (await readdir(dirname(config))).filter((name) => /lock|tmp/.test(name)),
      [],
    )
  })

  it('change nothing that somebody else has changed meanwhile', async (context) => {
    const { config, options } = await place(context, unfollowed)
    const mine = `${await readFile(config, 'utf8')}# mine\n`
    // It reads secrets twice: with the configuration as it is, then as it would be. Where they come from pipes, it waits for each.
    const [first = '', second = ''] = ['first', 'second'].map((name) => join(dirname(config), name))
    for (const pipe of [first, second]) execFileSync('mkfifo', [pipe])
    const url = 'http://127.0.0.1:9/'
    const notify = [first, second].map((secretFile) => ({ webhook: { url, secretFile } }))
    await writeFile(config, `${await readFile(config, 'utf8')}notify: ${JSON.stringify(notify)}\n`)
    const adding = cli(['schedule', 'add', 'app', '--type', 'full', '--every', 'weekly'], options)
    for (const pipe of [first, second]) await writeFile(pipe, 'secret')
    await using again = await open(first, 'w')
    await writeFile(config, mine)
    await again.writeFile('secret')
    await again.close()
    await writeFile(second, 'secret')
    const { code, stderr } = await adding
    assert.equal(code, 2, stderr)
    assert.match(stderr, /was changed by somebody else meanwhile/)
    assert.equal(await readFile(config, 'utf8'), mine)
  })

  it('work on a pattern, but not on one of the databases that it finds', async (context) => {
    const { config, options, ok } = await place(context, '  - glob: "*.db"\n')
    const { last } = await cliJsonError(['schedule', 'add', 'app', '--type', 'full', '--every', 'daily'], options)
    assert.match(last.message, /^app is one of those that the pattern .*\*\.db finds/)
    await ok('schedule', 'add', '*.db', '--type', 'full', '--every', 'daily')
    assert.match(await readFile(config, 'utf8'), / {6}- \{ type: full, every: daily \}\n$/)
    assert.ok((await cliJson('schedule list', [], options)).last.schedules.some(({ id }) => id === 'full-daily'))
  })
})

describe('a path', () => {
  it('names the database that has it, for every command', async (context) => {
    const { options, folder } = await place(
      context,
      `${unfollowed}    name: shop\n    schedules: [{ id: nightly, type: full, every: yearly }]\n`,
    )
    for (const name of ['app.db', join(folder, 'app.db'), 'shop']) {
      const { last } = await cliJson('schedule list', [name], options)
      assert.deepEqual(
        last.schedules.map(({ database, id }) => [database, id]),
        [['shop', 'nightly']],
      )
    }
    const { last } = await cliJson('schedule run', ['app.db', 'nightly'], options)
    assert.deepEqual([last.database, last.outcome], ['shop', 'succeeded'])
    const { last: missing } = await cliJsonError(['schedule', 'list', 'none.db'], options)
    assert.equal(missing.code, 'NAME_NOT_FOUND')
  })
})

describe('schedule run', () => {
  it('names the hook that failed by its place', async (context) => {
    const { options } = await place(
      context,
      `${unfollowed}    schedules: [{ id: nightly, type: full, every: yearly }]
    hooks: [{ before: backup, command: 'true' }, { before: backup, command: 'echo busy; exit 3' }]
`,
    )
    const { last } = await cliJsonError(['schedule', 'run', 'app', 'nightly'], options)
    assert.deepEqual(
      [last.object, last.message],
      ['databases[0].hooks[1]', 'The hook before the backup (databases[0].hooks[1]) ended with 3. It said: busy'],
    )
  })

  it('does it here when no agent runs, with its hooks', async (context) => {
    const made = await place(
      context,
      `${unfollowed}    schedules: [{ id: nightly, type: full, every: daily, tags: { by: schedule } }]
    hooks: [{ before: backup, command: 'echo "$HOLDFAST_SCHEDULE $HOLDFAST_TRIGGER" >> told' }]
`,
    )
    const { options, folder } = made
    const { last } = await cliJson('schedule run', ['app', 'nightly'], options)
    assert.deepEqual([last.by, last.outcome], ['command', 'succeeded'])
    const { last: listed } = await cliJson('list', [], options)
    assert.deepEqual(
      listed.databases[0]?.backups.map(({ id, type, tags }) => [id, type, tags]),
      [[last.backupId, 'full', { by: 'schedule' }]],
    )
    assert.equal(await readFile(join(folder, 'told'), 'utf8'), 'nightly manual\n')
    assert.match((await cliOk(['history'], options)).stdout, /backup/)
    assert.equal((await cliJsonError(['schedule', 'run', 'app', 'none'], options)).last.code, 'SCHEDULE_NOT_FOUND')
    assert.equal((await cliJsonError(['schedule', 'run', 'none', 'nightly'], options)).last.code, 'NAME_NOT_FOUND')
  })

  it('is done by the agent where one runs, which takes up and forgets schedules', async (context) => {
    const made = await place(context, `${unfollowed}    schedules: [{ id: nightly, type: full, every: yearly }]\n`)
    const { options } = made
    await using _agent = await startAgent(made)
    const { last: added } = await cliJson(
      'schedule add',
      ['app', '--type', 'incremental', '--every', 'yearly', '--at', '12-31', '--id', 'more'],
      options,
    )
    assert.equal(added.inForce, true)
    const { last } = await cliJson('schedule run', ['app', 'more'], options)
    assert.deepEqual([last.by, last.outcome], ['agent', 'succeeded'])
    // What ran is written down a moment later.
    const outcomeOf = async (wanted: string) => {
      const { last: list } = await cliJson('schedule list', [], options)
      assert.equal(list.agent, true)
      return list.schedules.find(({ id }) => id === wanted)?.outcome
    }
    while ((await outcomeOf('more')) !== 'succeeded') await pause(100)
    const { last: removed } = await cliJson('schedule remove', ['app', 'more'], options)
    assert.equal(removed.inForce, true)
    assert.equal((await cliJsonError(['schedule', 'run', 'app', 'more'], options)).last.code, 'SCHEDULE_NOT_FOUND')
  })
})
