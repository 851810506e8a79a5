import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  const at = (name: string) => join(cwd, name)
  const options = { cwd, env: { XDG_STATE_HOME: at('state') } }
  makeDatabase(at('app.db'))
  await cliOk(['init'], options)
  await cliOk(['backup', 'app.db'], options)
  mkdirSync(at('scratch'))
  return { options, at, scratch: ['--scratch', 'scratch'] }
}

it('a drill that passes says what it tried and how long the recovery took, and list and show know of it', async (context) => {
  const { options, at, scratch } = await workplace(context)
  writeFileSync(
    at('assertions.yaml'),
    `- SELECT count(*) = 200 FROM users
- { name: every order has its user, sql: SELECT count(*) FROM orders WHERE user NOT IN (SELECT id FROM users), expect: 0 }
- sql: SELECT id, name FROM users WHERE id < 3 ORDER BY id
  expect: [[1, user 1], [2, user 2]]
`,
  )
  const { stdout, stderr } = await cliOk(
    [
      ...[
        'drill',
        'app',
        ...scratch,
        '--assert',
        'SELECT count(*) > 0 FROM orders',
        '--assert-file',
        'assertions.yaml',
      ],
      ...[
        '--command',
        'echo "$HOLDFAST_DATABASE at LSN $HOLDFAST_LSN"',
        '--max-recovery-time',
        '1h',
        '--max-age',
        '1h',
      ],
    ],
    options,
  )
  assert.match(stderr, /^Trying a restore of the newest state of app\.\n/)
  assert.match(stdout, /^The drill of app passed\.\nstate +20.*, LSN 1, full backup [a-z0-9]{12}, .* old\n/)
  assert.match(stdout, /recovery +in .* \(plan .*, fetch .*, prove .*, commit .*\); .* fetched\n/)
  assert.match(stdout, /ok: restore: state checksum [0-9a-f]{16} equal \([\d,]+ pages read back\)\n/)
  assert.match(stdout, /ok: contents: schema and settings as at backup, row counts of 2 tables\n/)
  assert.match(stdout, /ok: assertion "every order has its user": true\n/)
  assert.match(stdout, /ok: command: app at LSN 1\n/)
  assert.match(stdout, /ok: recovery time: .*, of at most 1 h\n/)
  assert.deepEqual(readdirSync(at('scratch')), [])

  const { stdout: listed } = await cliOk(['list'], options)
  assert.match(listed, /\nlast drill passed, of LSN 1, 20.*, recovered in .*\n/)
  assert.match(listed, / VERIFIED +DRILL\n.* restore 20\d\d-\d\d-\d\d +passed 20\d\d-\d\d-\d\d\n$/)
  const { last } = await cliJson('list', [], options)
  const [app] = last.databases
  assert.deepEqual([app?.lastDrill?.verdict, app?.lastDrill?.lsn], ['passed', 1])
  const [backup] = app?.backups ?? []
  assert.deepEqual([backup?.drilled?.verdict, backup?.drilled?.decided?.verdict], ['passed', 'passed'])
  assert.match((await cliOk(['show', backup?.id ?? ''], options)).stdout, /\ndrilled +passed, 20.*, recovered in /)
})

it('a drill that fails ends with status 5 and says why, and the verdict survives what follows', async (context) => {
  const { options, scratch } = await workplace(context)
  const failing = [
    'app',
    ...scratch,
    '--assert',
    'SELECT count(*) > 999 FROM users',
    '--assert',
    'SELECT 1 FROM nobody',
  ]
  const { code, stdout } = await cli(['drill', ...failing], options)
  assert.equal(code, 5)
  assert.match(
    stdout,
    /^The drill of app FAILED:\n {2}assertion "SELECT count\(\*\) > 999 FROM users": It yields 0: false\.\n {2}assertion "SELECT 1 FROM nobody": no such table: nobody\n/,
  )
  const { last, ended } = await cliJson('drill', failing, options)
  assert.deepEqual([ended.code, last.verdict, last.reasons.length, last.state?.lsn], [5, 'failed', 2, 1])

  const hindered = await cliJson('drill', ['app', ...scratch, '--command', 'no-such-program'], options)
  assert.deepEqual([hindered.ended.code, hindered.last.verdict], [3, 'inconclusive'])
  const { stdout: listed } = await cliOk(['list'], options)
  assert.match(listed, /last drill inconclusive, .*: The command could not be run\.\n/)
  assert.match(listed, / FAILED 20\d\d-\d\d-\d\d\n$/, 'an inconclusive drill hides no failure')
  const { stdout: shown } = await cliOk(['show', last.state?.backup?.id ?? ''], options)
  assert.match(shown, /\ndrilled +inconclusive, .*\n +before that failed, 20/)
  assert.match((await cliOk(['history'], options)).stdout, / drill +app +FAILED /)
})

it('a damaged segment fails the drill, and is named', async (context) => {
  const { options, at, scratch } = await workplace(context)
  const { last: listed } = await cliJson('list', [], options)
  const segment = listed.databases[0]?.backups[0]?.segment ?? assert.fail()
  const file = join(at('backups'), segment)
  const bytes = readFileSync(file)
  bytes[300] = (bytes[300] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const { ended, last } = await cliJson('drill', ['app', ...scratch], options)
  assert.deepEqual([ended.code, last.verdict, last.failure], [5, 'failed', { code: 'INTEGRITY', object: segment }])
  assert.deepEqual([last.recovery, last.checks.length], [null, 1])
})

it('an older state, a random one and one that is kept can be tried', async (context) => {
  const { options, at, scratch } = await workplace(context)
  change(at('app.db'), 'DELETE FROM orders')
  await cliOk(['backup', 'app.db'], options)
  const query = ['--assert', 'SELECT count(*) = 200 FROM orders']
  assert.equal((await cli(['drill', 'app', ...scratch, ...query], options)).code, 5)
  const { last } = await cliJson('drill', ['app', ...scratch, ...query, '--lsn', '1', '--keep'], options)
  assert.deepEqual([last.verdict, last.state?.lsn], ['passed', 1])
  assert.ok(last.keptFile !== null && existsSync(last.keptFile))
  assert.equal(count(last.keptFile), 200)
  const { last: drawn } = await cliJson('drill', ['app', ...scratch, '--random'], options)
  const { last: again } = await cliJson('drill', ['app', ...scratch, '--random', '--seed', `${drawn.seed}`], options)
  assert.deepEqual([again.seed, again.state?.lsn], [drawn.seed, drawn.state?.lsn])
  const missing = await cliJsonError(['drill', 'app', ...query, '--lsn', '9'], options)
  assert.equal(missing.ended.code, 4)
  assert.match(missing.last.hint ?? '', /holdfast drill app --lsn 2 --assert 'SELECT count\(\*\) = 200 FROM orders'/)
})

it('what makes no sense is refused before anything is restored', async (context) => {
  const { options, at } = await workplace(context)
  writeFileSync(at('not-a-list.yaml'), 'sql: SELECT 1')
  writeFileSync(at('wrong-entry.yaml'), '- SELECT 1\n- { sql: SELECT 1, expected: 1 }')
  writeFileSync(at('no-yaml.yaml'), '- [')
  const wrong = [
    [['--seed', '3'], /--seed goes with --random\./],
    [['--random', '--lsn', '1'], /More than one state is named\./],
    [['--lsn', '1', '--max-age', '1h'], /--max-age goes with the newest state/],
    [['--assert', ' '], /--assert names no query\./],
    [['--assert-file', 'nowhere.yaml'], /The file of assertions nowhere\.yaml cannot be read/],
    [['--assert-file', 'not-a-list.yaml'], /not-a-list\.yaml does not hold assertions: it is no list of them\./],
    [['--assert-file', 'wrong-entry.yaml'], /wrong-entry\.yaml does not hold assertions: its entry 2 is none\./],
    [['--assert-file', 'no-yaml.yaml'], /no-yaml\.yaml is no YAML: /],
  ] as const
  for (const [args, message] of wrong) {
    const { code, stderr } = await cli(['drill', 'app', ...args], options)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, message)
  }
  assert.ok(!existsSync(at('backups/databases/app/drills.json')))
})
