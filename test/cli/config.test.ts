// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are what the configuration has
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

const good = 'databases:\n  - path: app.db\n'
const bad = 'databases:\n  - path: app.db\n    retention: { dayly: 7 }\nlog: { level: loud }\n'

describe('config', () => {
  it('example makes a file that check finds nothing wrong with, and show explains', async (context) => {
    const cwd = await scratchFolder(context)
    const { stdout } = await cliOk(['config', 'example'], { cwd })
    await writeFile(join(cwd, 'holdfast.yaml'), stdout)
    assert.match((await cliOk(['config', 'check'], { cwd })).stdout, /^holdfast\.yaml is fine: 1 database or pattern, /)
    assert.equal((await cliOk(['config', 'check', '--quiet'], { cwd })).stdout, '')
    const shown = parse((await cliOk(['config', 'show'], { cwd })).stdout)
    const { last } = await cliJson('config show', [], { cwd })
    assert.deepEqual(last.config, shown)
    assert.equal(shown.databases[0].path, join(cwd, 'data/app.db'))
    assert.equal(shown.databases[0].follow.auditInterval, '1d')
  })

  it('check notes a path where there is nothing, and a pattern that matches nothing', async (context) => {
    const cwd = await scratchFolder(context)
    makeDatabase(join(cwd, 'app.db'))
    await writeFile(
      join(cwd, 'holdfast.yaml'),
      `${good}  - path: ap.db\n  - glob: ["*.sqlite", "x/*.db"]\n  - glob: "*.db"\n`,
    )
    const { stdout } = await cliOk(['config', 'check'], { cwd })
    assert.match(stdout, /^holdfast\.yaml is fine: 4 databases/)
    assert.match(
      stdout,
      /\nholdfast\.yaml:3:11 {2}databases\[1\]\.path\n.*\n.*\n {2}There is no file .*\/ap\.db now\.\n/,
    )
    const { ok, notes } = (await cliJson('config check', [], { cwd })).last
    assert.equal(ok, true)
    assert.deepEqual(
      notes.map(({ path, line, message }) => [path, line, message.startsWith('No file matches')]),
      [
        ['databases[1].path', 3, false],
        ['databases[2].glob', 4, true],
      ],
    )
  })

  it('check notes names and schedules below "notify" that nothing can have', async (context) => {
    const cwd = await scratchFolder(context)
    makeDatabase(join(cwd, 'app.db'))
    const text = `${good}    schedules: [{ id: nightly, type: full, every: daily }]
  - glob: "tenants/shop-*.db"
notify:
  - { webhook: "http://127.0.0.1:9/", databases: [app, ap, shop-eu, blog] }
  - { heartbeat: { url: "http://127.0.0.1:9/a", database: app, schedule: nigthly } }
  - { heartbeat: { url: "http://127.0.0.1:9/b", database: appp } }
  - { heartbeat: { url: "http://127.0.0.1:9/c", schedule: nightly } }
`
    await writeFile(join(cwd, 'holdfast.yaml'), text)
    const { last } = await cliJson('config check', [], { cwd })
    assert.equal(last.ok, true)
    assert.deepEqual(
      last.notes.map(({ path, line, message }) => [path, line, /Did you mean "(.*?)"/.exec(message)?.[1]]),
      [
        ['databases[1].glob', 4, undefined],
        ['notify[0].databases[1]', 6, 'app'],
        ['notify[0].databases[3]', 6, undefined],
        ['notify[1].heartbeat.schedule', 7, 'nightly'],
        ['notify[2].heartbeat.database', 8, 'app'],
      ],
    )
    const { stdout } = await cliOk(['config', 'check'], { cwd })
    assert.match(stdout, /\n {2}No database here has the name "ap", or can get it\. Did you mean "app"\?\n/)
  })

  it('check lists every problem with its line and a mark, and ends with 2', async (context) => {
    const cwd = await scratchFolder(context)
    await writeFile(join(cwd, 'holdfast.yaml'), bad)
    const { code, stdout, stderr } = await cli(['config', 'check'], { cwd })
    assert.deepEqual([code, stderr], [2, ''])
    assert.equal(
      stdout,
      `holdfast.yaml:3:18  databases[0].retention.dayly
  3 |     retention: { dayly: *** }
    |                  ^^^^^
  Unknown key "dayly". Did you mean "daily"?

holdfast.yaml:4:15  log.level
  4 | log: { level: loud }
    |               ^^^^
  Expected "error", "warn", "info" or "debug", got "loud".

2 problems in holdfast.yaml.
`,
    )
    const { ok, problems } = (await cliJson('config check', [], { cwd })).last
    assert.equal(ok, false)
    assert.deepEqual(
      problems.map(({ path, line, nearest }) => [path, line, nearest]),
      [
        ['databases[0].retention.dayly', 3, 'daily'],
        ['log.level', 4, null],
      ],
    )
    const shown = await cli(['config', 'show'], { cwd })
    assert.equal(shown.code, 2)
    assert.match(shown.stderr, /^error: The configuration has 2 problems\.\nholdfast\.yaml:3:18: databases\[0\]/)
  })

  it('takes the file from the argument, from --config, or from HOLDFAST_CONFIG', async (context) => {
    const cwd = await scratchFolder(context)
    await writeFile(join(cwd, 'other.yaml'), good)
    await cliOk(['config', 'check', 'other.yaml'], { cwd })
    await cliOk(['config', 'check', '--config', 'other.yaml'], { cwd })
    await cliOk(['config', 'check'], { cwd, env: { HOLDFAST_CONFIG: 'other.yaml' } })
    const { code, stdout } = await cli(['config', 'check'], { cwd })
    assert.equal(code, 2)
    assert.equal(
      stdout,
      'There is no file holdfast.yaml. "holdfast config example > holdfast.yaml" writes one to begin with; --config names one that is elsewhere.\n',
    )
  })

  it('is asked for by whatever needs one, which says how to begin', async (context) => {
    const cwd = await scratchFolder(context)
    for (const words of ['config show', 'schedule list', 'schedule run app nightly', 'notify test', 'run']) {
      const { code, stderr } = await cli(words.split(' '), { cwd })
      assert.deepEqual([words, code], [words, 2])
      assert.match(stderr, /^error: There is no file holdfast\.yaml\.\n[\s\S]*holdfast config example > holdfast\.yaml/)
      assert.doesNotMatch(stderr, /config check|:1:1/)
    }
  })

  it('shows no secret, also not beside a problem', async (context) => {
    const cwd = await scratchFolder(context)
    const secrets = `notify:
  - webhook: { url: "https://hook.example/hush-path", secret: hush-secret }
  - email: { host: h, user: u, password: "\${SECRET}", from: a@b, to: c@d }
  - command: "tell --token=\${SECRET} --all"
hooks:
  - { after: backup, command: "ping https://u:\${SECRET}@there" }
`
    await writeFile(join(cwd, 'holdfast.yaml'), good + secrets)
    const env = { SECRET: 'hush-env' }
    const { stdout } = await cliOk(['config', 'show'], { cwd, env })
    assert.match(stdout, /https:\/\/hook\.example\/\*\*\*/)
    assert.match(stdout, /tell --token=\*\*\* --all/)
    assert.match(stdout, /ping https:\/\/u:\*\*\*@there/)
    assert.doesNotMatch(stdout, /hush/)
    const wrong = secrets.replace('secret:', 'tiemout: 5, secret:').replace('host: h', 'hots: h')
    await writeFile(join(cwd, 'holdfast.yaml'), good + wrong)
    const checked = await cli(['config', 'check'], { cwd, env })
    assert.match(checked.stdout, / \| {3}- webhook: \{ url: \*\*\*, tiemout: \*\*\*, secret: \*\*\* \}\n/)
    assert.doesNotMatch(checked.stdout, /hush/)
  })
})

describe('the repository', () => {
  it('is that of the configuration in the working folder, unless another one is given', async (context) => {
    const cwd = await scratchFolder(context)
    await writeFile(join(cwd, 'holdfast.yaml'), `repository: store\n${good}`)
    makeDatabase(join(cwd, 'app.db'))
    assert.match((await cliOk(['init'], { cwd })).stdout, /\/store\n[\s\S]*Next: holdfast backup DATABASE\n$/)
    await cliOk(['backup', 'app.db'], { cwd })
    const repositoryOf = async (args: readonly string[], env = {}) =>
      (await cliJson('list', args, { cwd, env })).last.repository
    assert.match(await repositoryOf([]), /\/store$/)
    await cliOk(['init', '--repository', 'given'], { cwd })
    assert.match(await repositoryOf(['--repository', 'given']), /\/given$/)
    assert.match(await repositoryOf([], { HOLDFAST_REPOSITORY: 'given' }), /\/given$/)
    assert.match(await repositoryOf(['--repository', 'given'], { HOLDFAST_CONFIG: 'none.yaml' }), /\/given$/)
  })

  it('is beside the file, also from elsewhere', async (context) => {
    const cwd = await scratchFolder(context)
    await mkdir(join(cwd, 'etc'))
    await writeFile(join(cwd, 'etc/agent.yaml'), `repository: \${PLACE:-store}\n${good}`)
    const args = ['--config', 'etc/agent.yaml']
    assert.match(
      (await cliOk(['init', ...args], { cwd })).stdout,
      /\/etc\/store\n[\s\S]*--repository \S*\/etc\/store\n$/,
    )
    await cliOk(['list'], { cwd, env: { HOLDFAST_CONFIG: 'etc/agent.yaml' } })
  })

  it('is found although the rest of the file is wrong', async (context) => {
    const cwd = await scratchFolder(context)
    await writeFile(join(cwd, 'holdfast.yaml'), `repository: store\n${bad}`)
    assert.match((await cliOk(['init'], { cwd })).stdout, /\/store\n/)
  })

  it('is not guessed when the file does not say it, or is not there', async (context) => {
    const cwd = await scratchFolder(context)
    await writeFile(join(cwd, 'holdfast.yaml'), 'repository: [store]\n')
    const wrong = await cli(['list'], { cwd })
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /holdfast\.yaml:1:1: repository: Expected a path or URL, got a list\./)
    const unset = await cli(['list'], { cwd: await folderWith(context, 'repository: ${NOWHERE}\n') })
    assert.equal(unset.code, 2)
    assert.match(unset.stderr, /The environment variable NOWHERE is not set\./)
    const missing = await cli(['list', '--config', 'none.yaml'], { cwd })
    assert.equal(missing.code, 2)
    assert.match(missing.stderr, /There is no file none\.yaml\./)
    // What needs no repository works all the same.
    await cliOk(['completion', 'bash'], { cwd })
  })
})

async function folderWith(context: Parameters<typeof scratchFolder>[0], config: string): Promise<string> {
  const folder = await scratchFolder(context)
  await writeFile(join(folder, 'holdfast.yaml'), config)
  return folder
}
