/** `expire` beside a configuration: whose policy counts, in whatever words the repository is named. */
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
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
