import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { bin, cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, integrity, makeDatabase, startWriter } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path)
  await cliOk(['init'], { cwd })
  return { cwd, path, at: (name: string) => join(cwd, name) }
}

it('a database that another program writes to is backed up in full, incrementally and as a snapshot, and comes back proven', async (context) => {
  const { cwd, path, at } = await workplace(context)
  await startWriter(context, path)

  const first = await cliOk(['backup', 'app.db'], { cwd })
  assert.match(first.stderr, /app: full, as it is the first backup/)
  assert.match(first.stdout, /app: full backup [a-z0-9]{12}\n/)
  assert.match(first.stdout, /quick_check ok, foreign keys ok; [\d,]+ rows in 2 tables; read back and equal/)
  const second = await cliOk(['backup', 'app.db'], { cwd })
  assert.match(second.stderr, /incremental, as there is a good backup \([a-z0-9]{12} of 20\d\d-.* \+0[12]:00\)/)
  await cliOk(['backup', 'app.db', '--type', 'snapshot', '--name', 'before-migration', '--tag', 'why=migration'], {
    cwd,
  })

  const { last } = await cliJson('list', [], { cwd })
  const [listed] = last.databases
  assert.deepEqual(
    listed?.backups.map(({ type, name, pinned }) => [type, name, pinned]),
    [
      ['full', null, false],
      ['incremental', null, false],
      ['snapshot', 'before-migration', true],
    ],
  )

  for (const [index, backup] of (listed?.backups ?? []).entries()) {
    const target = `restored-${index}.db`
    const { stdout } = await cliOk(['restore', 'app', '--backup', backup.id, '--to', target], { cwd })
    assert.match(stdout, new RegExp(`state checksum ${backup.checksum} equal`))
    assert.match(stdout, /integrity_check ok, foreign keys ok\n.*row counts of 2 tables equal/)
    assert.match(stdout, new RegExp(`LSN ${index + 1}, ${backup.type} backup ${backup.id}`))
    assert.equal(integrity(at(target)), 'ok')
    assert.deepEqual(
      backup.source.tables.map(({ name, rows }) => [name, rows]),
      ['orders', 'users'].map((table) => [table, count(at(target), table)]),
    )
  }
  assert.ok(count(at('restored-2.db')) > count(at('restored-0.db')), 'the writer has gone on meanwhile')

  const { stdout: table } = await cliOk(['list', path], { cwd })
  assert.match(table, /^app \(.*app\.db\): 3 backups\nID +TYPE +TIME +LSN +NAME +SIZE +STORED +RATIO +PARENT +MARKS\n/)
  assert.match(table, /snapshot +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0[12]:00 +3 +before-migration .* pinned\n$/)
})

it('what a restore would take is said before, by estimate and by dry run, and neither writes anything', async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  change(at('app.db'), "INSERT INTO users (name) VALUES ('later')")
  await cliOk(['backup', 'app.db', '--name', 'later'], { cwd })
  const before = readdirSync(cwd)
  const { last: estimated } = await cliJson('estimate', ['app', '--latest'], { cwd })
  const { last: dry } = await cliJson('restore', ['app', '--latest', '--to', 'out.db', '--dry-run'], { cwd })
  assert.deepEqual(dry.plan, estimated.plan)
  assert.deepEqual([dry.dryRun, dry.proof, dry.plan.steps.length, dry.plan.backup?.name], [true, null, 2, 'later'])
  const { stdout } = await cliOk(['estimate', 'app', '--name', 'later'], { cwd })
  assert.match(stdout, /fetches +[\d.]+ KiB in \d+ requests\nwrites +[\d.]+ KiB; so much space must be free/)
  assert.match(stdout, /Steps:\n.*\nbase +\(0, 1\].*\ndelta +\(1, 2\]/)
  assert.deepEqual(readdirSync(cwd), before)
})

it('a restore by time gives exactly a known state; --before the last one before a moment', async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  change(at('app.db'), 'DELETE FROM orders')
  await cliOk(['backup', 'app.db'], { cwd })
  const { last: points } = await cliJson('points', ['app'], { cwd })
  const [good, bad] = points.points
  assert.ok(good !== undefined && bad !== undefined)
  const { last: exact } = await cliJson('restore', ['app', '--at', good.time, '--to', 'exact.db'], { cwd })
  assert.deepEqual([exact.plan.lsn, exact.wanted], [1, { by: 'time', value: good.time, before: false }])
  const { stderr } = await cliOk(['restore', 'app', '--before', '--at', bad.time, '--to', 'before.db'], { cwd })
  assert.match(
    stderr,
    /the last state before 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0[12]:00 \(Europe\/Berlin\) of app/,
  )
  for (const target of ['exact.db', 'before.db']) assert.equal(count(at(target)), 200)
  await cliOk(['restore', 'app', '--before', '--lsn', '2', '--to', 'before-lsn.db'], { cwd })
  assert.equal(count(at('before-lsn.db')), 200)
})

it('a moment between two known states is refused, with commands for both neighbours that work as they stand', async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  change(at('app.db'), 'DELETE FROM orders')
  await cliOk(['backup', 'app.db'], { cwd })
  const { last: points } = await cliJson('points', ['app'], { cwd })
  const between = Date.parse(points.points[0]?.time ?? '') + 1
  const { last } = await cliJsonError(['restore', 'app', '--at', String(between), '--to', "it's restored.db"], { cwd })
  assert.deepEqual([last.code, last.exitCode], ['NOT_RESTORABLE', 4])
  const commands = last.hint?.match(/holdfast restore .*(?= {2}#)/g) ?? []
  assert.deepEqual(commands, [
    "holdfast restore app --lsn 1 --to 'it'\\''s restored.db'",
    "holdfast restore app --lsn 2 --to 'it'\\''s restored.db'",
  ])
  assert.match(last.hint ?? '', /# before: .*\n.*# after: /)
  assert.equal(existsSync(at("it's restored.db")), false)
})

it('an existing file is replaced only with --force, and reused page by page with --delta', async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['backup', 'app.db', '--name', 'good'], { cwd })
  await cliOk(['restore', 'app', '--latest', '--to', 'out.db'], { cwd })
  change(at('out.db'), "UPDATE users SET name = 'spoilt' WHERE id = 7")
  const refused = await cli(['restore', 'app', '--name', 'good', '--to', 'out.db'], { cwd })
  assert.equal(refused.code, 1)
  const { last: delta } = await cliJson('restore', ['app', '--name', 'good', '--to', 'out.db', '--delta'], { cwd })
  assert.equal(delta.mode, 'delta')
  assert.ok(
    delta.pagesWritten < delta.plan.pageCount / 2,
    `${delta.pagesWritten} of ${delta.plan.pageCount} pages written`,
  )
  assert.equal(delta.proof?.checksum, delta.plan.checksum)
  const { last: forced } = await cliJson('restore', ['app', '--name', 'good', '--to', 'out.db', '--force'], { cwd })
  assert.deepEqual([forced.mode, forced.pagesWritten], ['replace', forced.plan.pageCount])
})

it("the user's own check sees the restored file before it is put in place, and can refuse it", async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  const check = `test "$(sqlite3 "$1" 'SELECT count(*) FROM users')" = 200 && test ! -e ${at('out.db')}`
  const { stdout } = await cliOk(['restore', 'app', '--latest', '--to', 'out.db', '--check', check], { cwd })
  assert.match(stdout, /your command succeeded/)
  const { last } = await cliJsonError(['restore', 'app', '--latest', '--to', 'other.db', '--check', 'exit 9'], { cwd })
  assert.deepEqual([last.code, last.exitCode, existsSync(at('other.db'))], ['CHECK_COMMAND_FAILED', 5, false])
})

it('verify says that all is well, at every level, and list remembers it', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  for (const level of ['metadata', 'data', 'restore'] as const) {
    const { last } = await cliJson('verify', ['--level', level, 'app'], { cwd })
    assert.deepEqual(
      [last.ok, last.findings, last.restorable.length, last.checked.restores],
      [true, [], 1, level === 'restore' ? 1 : 0],
    )
  }
  const { last } = await cliJson('list', [], { cwd })
  assert.equal(last.databases[0]?.backups[0]?.verified?.level, 'restore')
  const { stdout } = await cliOk(['list'], { cwd })
  assert.match(stdout, /VERIFIED\n.* restore 20\d\d-\d\d-\d\d\n$/)
})

it('show tells everything of a backup, by id, the beginning of it, or name', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  await cliOk(['backup', 'app.db', '--name', 'second', '--tag', 'ticket=42'], { cwd })
  const { last } = await cliJson('show', ['second'], { cwd })
  assert.deepEqual(
    [last.backup.tags, last.chain?.map(({ from, to }) => [from, to]), last.neededBy],
    [
      { ticket: '42' },
      [
        [0, 1],
        [1, 2],
      ],
      [],
    ],
  )
  const { last: parent } = await cliJson('show', [last.backup.parent ?? ''], { cwd })
  assert.deepEqual(parent.neededBy, [last.backup.id])
  const { stdout } = await cliOk(['show', last.backup.id.slice(0, 8)], { cwd })
  for (const words of [/tags +ticket=42/, /TABLE +ROWS\norders +200\nusers +200/, /Restored from 2 segments/])
    assert.match(stdout, words)
})

it('a backup that another needs is not deleted; one that nothing needs is, after a yes', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db', '--name', 'base'], { cwd })
  await cliOk(['backup', 'app.db', '--name', 'middle'], { cwd })
  await cliOk(['backup', 'app.db', '--type', 'full', '--name', 'newest'], { cwd })
  const { last: needed } = await cliJsonError(['delete', 'app', 'base', '--yes'], { cwd })
  assert.equal(needed.code, 'BACKUP_NEEDED')
  assert.match(needed.message, /middle/)
  const { last: unasked } = await cliJsonError(['delete', 'app', 'middle'], { cwd })
  assert.deepEqual([unasked.code, unasked.exitCode], ['USAGE', 2])
  assert.match(unasked.hint ?? '', /--yes/)
  const { last: dry } = await cliJson('delete', ['app', 'middle', '--dry-run'], { cwd })
  const { last: deleted } = await cliJson('delete', ['app', 'middle', '--yes'], { cwd })
  assert.deepEqual(
    [dry.dryRun, deleted.dryRun, deleted.deletedSegments, deleted.freedBytes],
    [true, false, dry.deletedSegments, dry.freedBytes],
  )
  const { last: newest } = await cliJsonError(['delete', 'app', 'newest', '--yes'], { cwd })
  assert.match(newest.hint ?? '', /--force/)
  const { last: left } = await cliJson('list', [], { cwd })
  assert.deepEqual(
    left.databases[0]?.backups.map(({ name }) => name),
    ['base', 'newest'],
  )
})

it('stats add up, over all databases and of each', async (context) => {
  const { cwd, at } = await workplace(context)
  makeDatabase(at('other.db'), { rows: 50 })
  await cliOk(['backup', 'app.db', 'other.db'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  const { last } = await cliJson('stats', [], { cwd })
  assert.deepEqual(
    last.databases.map(({ database, backups, byType }) => [database, backups, byType.incremental]),
    [
      ['app', 2, 1],
      ['other', 1, 0],
    ],
  )
  assert.equal(
    last.total.storedBytes,
    last.databases.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  )
  const { stdout } = await cliOk(['stats'], { cwd })
  for (const words of [/backups +2 \(1 full, 1 incremental\)/, /growth +[▁▂▃▄▅▆▇█]{2} /, /All 2 databases/])
    assert.match(stdout, words)
})

it('points draws states and the gaps between them, also of a part of the time', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  const { stdout } = await cliOk(['points', 'app'], { cwd })
  assert.match(
    stdout,
    /^● 20\d\d.* LSN 1 {2}full [a-z0-9]{12}\n┆ .*: no capture between these backups\n● .* LSN 2 {2}incremental [a-z0-9]{12}\n/,
  )
  const { last } = await cliJson('points', ['app', '--from', '-1h', '--to', 'now'], { cwd })
  assert.deepEqual(
    [last.points.length, last.windows.map(({ kind }) => kind), last.gaps.length],
    [2, ['point', 'point'], 1],
  )
  const { stdout: none } = await cliOk(['points', 'app', '--to', '2020-01-01'], { cwd })
  assert.match(none, /Nothing of app can be restored in this range/)
})

it('of several databases one may fail: the others are backed up, and the exit status is the worst', async (context) => {
  const { cwd, at } = await workplace(context)
  makeDatabase(at('other.db'))
  const { last, ended } = await cliJson('backup', ['app.db', 'missing.db', 'other.db', '--max-concurrent', '2'], {
    cwd,
  })
  assert.equal(ended.code, 4)
  assert.deepEqual(
    last.backups.map(({ backup }) => backup.database),
    ['app', 'other'],
  )
  assert.deepEqual(
    last.failures.map(({ path, error }) => [path, error.code]),
    [[at('missing.db'), 'DATABASE_NOT_FOUND']],
  )
  const human = await cli(['backup', 'app.db', 'missing.db'], { cwd })
  assert.match(human.stderr, /error: .*missing\.db/)
  assert.match(human.stdout, /1 of 2 databases backed up, 1 failed/)
})

it('--quiet prints the result alone; --verbose where an error came from', async (context) => {
  const { cwd } = await workplace(context)
  const quiet = await cliOk(['backup', 'app.db', '--quiet'], { cwd })
  assert.match(quiet.stdout, /^[a-z0-9]{12}\n$/)
  assert.equal(quiet.stderr, '')
  const json = await cliJson('backup', ['app.db', '--quiet'], { cwd })
  assert.deepEqual(json.progress, [])
  assert.notDeepEqual((await cliJson('backup', ['app.db'], { cwd })).progress, [])
  const verbose = await cli(['restore', 'nobody', '--latest', '--to', 'x.db', '--verbose'], { cwd })
  assert.match(verbose.stderr, /code: NAME_NOT_FOUND\nHoldfastError: .*\n +at /)
})

it('the repository may be named by option, by environment, or be ./backups', async (context) => {
  const { cwd, at } = await workplace(context)
  await cliOk(['init', '--repository', 'elsewhere'], { cwd })
  await cliOk(['backup', 'app.db', '-r', `file://${at('elsewhere')}`], { cwd })
  const { last } = await cliJson('list', [], { cwd, env: { HOLDFAST_REPOSITORY: 'elsewhere' } })
  assert.equal(last.databases.length, 1)
  const { stdout } = await cliOk(['list'], { cwd })
  assert.match(stdout, /No backups yet/)
})

it('a reader that goes away is no failure', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  const script = `"$1" "$2" completion bash | head -c 1 > /dev/null; echo "\${PIPESTATUS[0]}"`
  const printed = execFileSync('bash', ['-c', script, 'bash', process.execPath, bin], { cwd, encoding: 'utf8' })
  assert.equal(printed, '0\n')
})
