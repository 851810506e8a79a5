/** `expire` beside a configuration: whose policy counts, in whatever words the repository is named. */
import assert from 'node:assert/strict'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

/** A folder with a configuration, its repository beside it, and a backup in there. */
async function configured(context: TestContext) {
  const top = await scratchFolder(context)
  const cwd = join(top, 'conf')
  const env = { XDG_STATE_HOME: join(top, 'xdg') }
  await mkdir(cwd)
  makeDatabase(join(cwd, 'app.db'), { rows: 20 })
  await writeFile(
    join(cwd, 'holdfast.yaml'),
    'repository: ../b2\ndatabases: [{ path: app.db, retention: { last: 9, window: 0 } }]\n',
  )
  await cliOk(['init'], { cwd, env })
  await cliOk(['backup', 'app.db'], { cwd, env })
  return { top, cwd, env, repository: join(top, 'b2') }
}

describe('the policy of the configuration', () => {
  it('counts in whatever words its repository is named', async (context) => {
    const { top, cwd, env, repository } = await configured(context)
    await symlink(repository, join(top, 'link'))
    const names = ['../b2', '../b2/', repository, `${repository}/`, pathToFileURL(repository).href, '../link']
    for (const name of names) {
      const { last } = await cliJson('expire', ['app', '--repository', name, '--dry-run'], { cwd, env })
      assert.deepEqual([last.policyFrom, last.policy?.last, last.policy?.window], ['configuration', 9, 0], name)
    }
    const named = { ...env, HOLDFAST_REPOSITORY: '../b2' }
    assert.equal((await cliJson('expire', ['app', '--dry-run'], { cwd, env: named })).last.policyFrom, 'configuration')
    const file = ['--config', 'holdfast.yaml', '--repository', '../link']
    const { last } = await cliJson('expire', ['app', ...file, '--dry-run'], { cwd, env })
    assert.equal(last.policyFrom, 'configuration')
  })

  it('of another repository does not count, which is said, and refused where it was asked for', async (context) => {
    const { cwd, env } = await configured(context)
    const other = ['--repository', 'other']
    await cliOk(['init', ...other], { cwd, env })
    await cliOk(['backup', 'app.db', ...other], { cwd, env })
    const told = await cliOk(['expire', 'app', ...other, '--dry-run'], { cwd, env })
    assert.match(told.stderr, /holdfast\.yaml is about another repository: .*b2, not other\..*does not count here\./)
    assert.match(told.stdout, /Policy, from the default/)
    for (const names of [['app'], []]) {
      const args = ['expire', ...names, ...other, '--config', 'holdfast.yaml', '--yes']
      const { last, ended } = await cliJsonError(args, { cwd, env })
      assert.deepEqual([last.code, ended.code], ['USAGE', 2])
      assert.match(last.message, /about another repository/)
      assert.match(last.hint ?? '', /--keep-daily/)
    }
    const given = ['expire', 'app', ...other, '--config', 'holdfast.yaml', '--keep-last', '1', '--dry-run']
    await cliOk(given, { cwd, env })
  })

  it('is the one that a simulation shows, of a database or of all', async (context) => {
    const { cwd, env } = await configured(context)
    const policy = async (...args: string[]) => {
      const { last } = await cliJson('expire', ['--simulate', ...args], { cwd, env })
      return [last.policyFrom, last.policy?.last ?? null, last.policy?.daily ?? null]
    }
    assert.deepEqual(await policy(), ['configuration', 9, null])
    assert.deepEqual(await policy('app'), ['configuration', 9, null])
    assert.deepEqual(await policy('--repository', 'none-there'), ['configuration', 9, null])
    assert.deepEqual(await policy('--keep-daily', '3'), ['options', null, 3])
    assert.deepEqual(await policy('other'), ['default', null, 7])

    makeDatabase(join(cwd, 'shop.db'), { rows: 2 })
    await writeFile(
      join(cwd, 'holdfast.yaml'),
      'databases: [{ path: app.db, retention: { last: 9 } }, { path: shop.db, retention: { last: 2 } }]\n',
    )
    assert.deepEqual(await policy('shop'), ['configuration', 2, null])
    const unclear = await cli(['expire', '--simulate'], { cwd, env })
    assert.equal(unclear.code, 2)
    assert.match(unclear.stderr, /have policies of their own[\s\S]*Name the one whose policy is meant \(app, shop\)/)
  })
})

/** A folder with a repository in it, `backups`, and databases that were backed up into it, three times each, by the names of their files. */
async function backedUp(context: TestContext, ...paths: string[]) {
  const cwd = await scratchFolder(context)
  const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
  await cliOk(['init'], { cwd, env })
  for (const path of paths) {
    await mkdir(dirname(join(cwd, path)), { recursive: true })
    makeDatabase(join(cwd, path), { rows: 20 })
    for (let n = 0; n < 3; n += 1) await cliOk(['backup', path, '--type', 'full'], { cwd, env })
  }
  const left = async (name: string) => (await cliJson('list', [name], { cwd, env })).last.databases[0]?.backups.length
  return { cwd, env, left }
}

const strict = { last: 1, window: '1ms' }

describe('whose history a configured policy is for', () => {
  it('is not that of another file which has the name', async (context) => {
    const { cwd, env, left } = await backedUp(context, 'a/app.db')
    await mkdir(join(cwd, 'b'))
    makeDatabase(join(cwd, 'b/app.db'), { rows: 2 })
    writeConfig(cwd, { databases: [{ path: 'b/app.db', retention: strict }] })
    for (const names of [['app'], ['a/app.db'], []]) {
      const { last, ended } = await cliJsonError(['expire', ...names, '--yes'], { cwd, env })
      assert.deepEqual([last.code, last.object, ended.code], ['NAME_TAKEN', 'app', 1])
      assert.match(last.message, /a\/app\.db.*b\/app\.db/)
      assert.match(last.hint ?? '', /--keep-daily.*"name: app"/)
    }
    assert.equal(await left('app'), 3)

    const options = ['--keep-last', '2', '--window', '0', '--dry-run']
    assert.equal((await cliJson('expire', ['app', ...options], { cwd, env })).last.drop.length, 1)
    writeConfig(cwd, { databases: [{ path: 'b/app.db', name: 'app', retention: strict }] })
    const { last: moved } = await cliJson('expire', ['app', '--dry-run'], { cwd, env })
    assert.deepEqual([moved.policyFrom, moved.policy?.last], ['configuration', 1])
  })

  it('goes by where the histories are from, in whatever order the configuration names the files', async (context) => {
    const { cwd, env } = await backedUp(context, 'one/app.db')
    await mkdir(join(cwd, 'two'))
    makeDatabase(join(cwd, 'two/app.db'), { rows: 2 })
    const databases = [
      { path: 'two/app.db', retention: strict },
      { path: 'one/app.db', retention: { last: 50, window: 0 } },
    ]
    for (const entries of [databases, databases.toReversed()]) {
      writeConfig(cwd, { databases: entries })
      const { last } = await cliJson('expire', ['app', '--dry-run'], { cwd, env })
      assert.deepEqual([last.policyFrom, last.policy?.last, last.drop], ['configuration', 50, []])
    }
  })

  it('keeps no other from its own: of every database, all that can be done is done', async (context) => {
    const { cwd, env, left } = await backedUp(context, 'a/app.db', 'shop.db', 'stranger.db')
    writeConfig(cwd, {
      databases: ['b/app.db', 'shop.db'].map((path) => ({ path, retention: strict })),
    })
    const ended = await cli(['expire', '--yes', '--json'], { cwd, env })
    const result = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '')
    assert.deepEqual(
      result.failures.map((failure: { database: string; code: string }) => [failure.database, failure.code]),
      [
        ['app', 'NAME_TAKEN'],
        ['stranger', 'USAGE'],
      ],
    )
    assert.deepEqual([ended.code, await left('app'), await left('shop'), await left('stranger')], [2, 3, 1, 3])
  })

  it('stays that of a database whose disk is away, as long as an agent remembers it', async (context) => {
    const { cwd, env } = await backedUp(context, 'dbs/a.db', 'dbs/b.db')
    const pattern = { glob: 'dbs/*.db', follow: false, schedules: [{ type: 'full', every: 'weekly' }] }
    writeConfig(cwd, { databases: [{ ...pattern, retention: { last: 50, window: 0 }, expire: false }] })
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^The agent runs/)
    assert.equal(await agent.stop(), 0)
    await rename(join(cwd, 'dbs'), join(cwd, 'dbs.away'))
    await mkdir(join(cwd, 'dbs'))
    for (const args of [
      ['a', '--dry-run'],
      ['a', '--simulate'],
    ]) {
      const { last } = await cliJson('expire', args, { cwd, env })
      assert.deepEqual([last.policyFrom, last.policy?.last], ['configuration', 50])
    }
    const { last: all } = await cliJson('expire', ['--yes'], { cwd, env })
    assert.deepEqual([all.drop, all.failures], [[], []])

    await rename(join(cwd, 'state'), join(cwd, 'state.away'))
    const { last, ended } = await cliJsonError(['expire', 'a', '--yes'], { cwd, env })
    assert.deepEqual([last.code, last.object, ended.code], ['USAGE', 'a', 2])
  })

  it('is never guessed: one that the configuration does not speak of needs a policy by options', async (context) => {
    const { cwd, env, left } = await backedUp(context, 'app.db')
    writeConfig(cwd, { databases: [{ path: 'shop.db', retention: strict }] })
    for (const names of [['app'], []]) {
      const { last, ended } = await cliJsonError(['expire', ...names, '--yes'], { cwd, env })
      assert.deepEqual([last.code, last.object, ended.code], ['USAGE', 'app', 2])
      assert.match(last.message, /holdfast\.yaml does not speak of app/)
      assert.match(last.hint ?? '', /--keep-daily.*configuration/)
    }
    assert.equal(await left('app'), 3)
    await cliOk(['expire', 'app', '--keep-last', '1', '--window', '0', '--yes'], { cwd, env })
    assert.equal(await left('app'), 1)
    writeConfig(cwd, { databases: [{ path: 'app.db' }] })
    assert.equal((await cliJson('expire', ['app', '--dry-run'], { cwd, env })).last.policyFrom, 'default')
  })
})
