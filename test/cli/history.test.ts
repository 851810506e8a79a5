import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { type CliOptions, cli, cliOk, startCli } from './support/cli.ts'
import { change, makeDatabase } from './support/database.ts'
import { auditOf, historyOf, journalPlace } from './support/journal.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

/** Starts a command, and sends the signal as soon as a line of its output has these words. */
async function signalAt(args: readonly string[], options: CliOptions, words: string, signal: NodeJS.Signals) {
  const { child, ended } = startCli([...args, '--json'], options)
  assert.ok(child.stdout !== null)
  let sent = false
  for await (const line of createInterface(child.stdout)) if (!sent && line.includes(words)) sent = child.kill(signal)
  assert.ok(sent, 'it was over before the signal')
  return await ended
}

const slowShape = { rows: 20_000, bytes: 2000 }
const slowBackup = ['backup', 'app.db', '--codec', 'gzip', '--level', '9']

describe('history', () => {
  it('has every operation with its outcome and figures, also those that failed', async (context) => {
    const { options, at } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    change(at('app.db'), 'DELETE FROM orders')
    await cliOk(['backup', 'app.db', '--name', 'second'], options)
    await cliOk(['restore', 'app', '--latest', '--to', 'out.db'], options)
    await cliJsonError(['restore', 'app', '--latest', '--to', 'out.db'], options)
    await cliJsonError(['backup', 'missing.db'], options)
    await cliOk(['verify', '--level', 'metadata'], options)
    await cliOk(['backup', 'app.db', '--type', 'full'], options)
    await cliOk(['delete', at('app.db'), 'second', '--yes'], options)

    const operations = await historyOf(options)
    const { last: list } = await cliJson('list', [], options)
    const [first] = list.databases[0]?.backups ?? []
    assert.deepEqual(
      operations.map(({ kind, subtype, database, outcome, code }) => [kind, subtype, database, outcome, code]),
      [
        ['init', null, null, 'succeeded', null],
        ['backup', 'full', 'app', 'succeeded', null],
        ['backup', 'incremental', 'app', 'succeeded', null],
        ['restore', 'create', 'app', 'succeeded', null],
        ['restore', null, 'app', 'failed', 'TARGET_EXISTS'],
        ['backup', null, 'missing', 'failed', 'DATABASE_NOT_FOUND'],
        ['verify', 'metadata', null, 'succeeded', null],
        ['backup', 'full', 'app', 'succeeded', null],
        ['delete', null, 'app', 'succeeded', null],
      ],
    )
    const backup = operations[1]
    assert.deepEqual([backup?.backupId, backup?.figures['storedBytes']], [first?.id, first?.storedBytes])
    for (const { startedAt, endedAt, durationMs, trigger, rebuilt } of operations) {
      assert.equal(Date.parse(endedAt ?? '') - Date.parse(startedAt), durationMs)
      assert.deepEqual([trigger, rebuilt], ['manual', false])
    }
    const { stdout } = await cliOk(['history', 'app', '--kind', 'restore'], options)
    const [title, good, bad, ...rest] = stdout.trimEnd().split('\n')
    assert.match(title ?? '', /^START +DURATION +OPERATION +DATABASE +OUTCOME +FIGURES$/)
    assert.match(good ?? '', /^20.* \+0[12]:00 +.* restore create +app +succeeded +.*, [\d,]+ pages written$/)
    assert.match(bad ?? '', / restore +app +FAILED TARGET_EXISTS +The target .*out\.db exists already\.$/)
    assert.deepEqual(rest, [])
  })

  it('leaves out what a newer version did, with a warning', async (context) => {
    const { options, journal } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    change(journal, "UPDATE operations SET kind = 'teleport' WHERE kind = 'init'")
    const { last, warnings, ended } = await cliJson('history', [], options)
    assert.deepEqual([ended.code, last.operations, warnings.length], [3, 1, 1])
    assert.match(warnings[0]?.message ?? '', /^1 operation is left out of the history: .*newer/)
    assert.equal((await cli(['stats'], options)).code, 3)
  })

  it('is narrowed by database, kind, outcome, time and number', async (context) => {
    const { options, at } = await journalPlace(context)
    makeDatabase(at('other.db'))
    await cliOk(['backup', 'app.db', 'other.db'], options)
    await cliJsonError(['restore', 'app', '--lsn', '9', '--to', 'x.db'], options)
    const kinds = async (...args: string[]) => (await historyOf(options, ...args)).map(({ kind }) => kind)
    assert.deepEqual(await kinds('app'), ['backup', 'restore'])
    assert.deepEqual(await kinds(at('other.db')), ['backup'])
    assert.deepEqual(await kinds('--outcome', 'failed'), ['restore'])
    assert.deepEqual(await kinds('--since', '-1h', '--until', 'now', '--kind', 'init'), ['init'])
    assert.deepEqual(await kinds('--until', '2020-01-01'), [])
    assert.deepEqual(await kinds('--limit', '1'), ['restore'])
    const { last } = await cliJsonError(['history', '--since', 'now', '--until', '-1h'], options)
    assert.deepEqual([last.code, last.exitCode], ['USAGE', 2])
    assert.match(
      (await cliOk(['history', 'app', '--kind', 'drill'], options)).stdout,
      /^No such operation is recorded\.\n$/,
    )
  })

  it('refuses a database that it knows nothing of, and names those that it does', async (context) => {
    const { options } = await journalPlace(context)
    const { last: none } = await cliJsonError(['history', 'nobody'], options)
    assert.deepEqual([none.code, none.object], ['NAME_NOT_FOUND', 'nobody'])
    await cliOk(['backup', 'app.db'], options)
    for (const more of [[], ['--all'], ['--rebuild']]) {
      const { last } = await cliJsonError(['history', 'nobody', ...more], options)
      assert.equal(last.code, 'NAME_NOT_FOUND')
      assert.match(last.message, /^The history knows no database "nobody": it tells of app\.$/)
    }
  })

  it('leaves out what was only tried in thought', async (context) => {
    const { options } = await journalPlace(context)
    await cliOk(['backup', 'app.db', '--name', 'one'], options)
    await cliOk(['backup', 'app.db'], options)
    await cliOk(['restore', 'app', '--latest', '--to', 'x.db', '--dry-run'], options)
    await cliJsonError(['delete', 'app', 'one', '--dry-run'], options)
    for (const command of [['list'], ['points', 'app'], ['estimate', 'app', '--latest'], ['stats'], ['doctor']])
      await cliOk(command, options)
    assert.deepEqual(
      (await historyOf(options)).map(({ kind }) => kind),
      ['init', 'backup', 'backup'],
    )
  })

  it('knows a backup that was killed as interrupted, and one that was stopped by its signal', async (context) => {
    const { options } = await journalPlace(context, slowShape)
    await signalAt(slowBackup, options, '"phase":"copy"', 'SIGKILL')
    await signalAt(slowBackup, options, '"phase":"copy"', 'SIGINT')
    const [killed, stopped] = await historyOf(options, '--kind', 'backup')
    assert.deepEqual(
      [killed?.outcome, killed?.code, killed?.message],
      ['interrupted', null, 'Its process ended before it did.'],
    )
    assert.deepEqual([stopped?.outcome, stopped?.code], ['interrupted', 'ABORTED'])
  })

  it('shows what is followed while it runs, and what came of it', async (context) => {
    const { options, at } = await journalPlace(context)
    // That it was not followed before is no news.
    await cliOk(['backup', 'app.db'], options)
    change(at('app.db'), "INSERT INTO users (name) VALUES ('before')")
    const { child, ended } = startCli(['follow', 'app.db', '--json'], options)
    context.after(() => child.kill('SIGKILL'))
    assert.ok(child.stdout !== null)
    const lines = createInterface(child.stdout)
    for await (const line of lines) {
      if (line.includes('"event":"started"')) {
        const running = (await historyOf(options, 'app', '--kind', 'follow')).find(({ rebuilt }) => !rebuilt)
        assert.deepEqual([running?.kind, running?.outcome, running?.endedAt], ['follow', 'running', null])
        change(at('app.db'), "INSERT INTO users (name) VALUES ('new')")
      } else if (line.includes('"event":"uploaded"') && line.includes('"commits":1')) child.kill('SIGINT')
    }
    await ended
    const followed = await historyOf(options, 'app', '--kind', 'follow')
    const done = followed.find(({ rebuilt }) => !rebuilt)
    assert.ok(followed.every(({ outcome }) => outcome === 'succeeded'))
    assert.deepEqual([done?.outcome, done?.subtype, done?.figures['commits']], ['succeeded', 'commits', 1])
  })

  it('records what is done at the same time by several commands', async (context) => {
    const { options, at } = await journalPlace(context)
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) makeDatabase(at(`${name}.db`))
    await Promise.all(names.map((name) => cliOk(['backup', `${name}.db`], options)))
    const backups = await historyOf(options, '--kind', 'backup', '--outcome', 'succeeded')
    assert.deepEqual(backups.map(({ database }) => database).sort(), names)
    assert.equal((await cliJson('audit verify', [], options)).last.ok, true)
  })

  it('asks the repository for what was done elsewhere: by itself once, and whenever told to', async (context) => {
    const { options, elsewhere } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    await cliOk(['verify'], options)
    const told = await historyOf(elsewhere)
    assert.deepEqual(
      told.map(({ kind, subtype, database, outcome, rebuilt }) => [kind, subtype, database, outcome, rebuilt]),
      [
        ['backup', 'full', 'app', 'succeeded', true],
        ['verify', 'data', 'app', 'succeeded', true],
      ],
    )
    await cliOk(['backup', 'app.db'], options)
    assert.equal((await historyOf(elsewhere)).length, 2)
    const { last } = await cliJson('history', ['--rebuild'], elsewhere)
    assert.deepEqual([last.added, last.operations], [1, 3])
    assert.equal((await cliJson('history', ['--rebuild'], elsewhere)).last.added, 0)
    // What was recorded here is not told twice.
    assert.equal((await cliJson('history', ['--rebuild'], options)).last.added, 0)
  })

  it('records that a repository was not there, and tells of it while it is away', async (context) => {
    const { options, at } = await journalPlace(context)
    makeDatabase(at('other.db'))
    renameSync(at('backups'), at('gone'))
    await cliJsonError(['backup', 'app.db', 'other.db'], options)
    const failed = await historyOf(options, '--outcome', 'failed')
    assert.deepEqual(
      failed.map(({ kind, database, code }) => [kind, database, code]),
      [
        ['backup', 'app', 'REPOSITORY_NOT_FOUND'],
        ['backup', 'other', 'REPOSITORY_NOT_FOUND'],
      ],
    )
    assert.equal(existsSync(at('backups')), false, 'nothing is written where no repository is')
    const { last } = await cliJsonError(['history', '-r', 'never-was'], options)
    assert.equal(last.code, 'REPOSITORY_NOT_FOUND')
    assert.equal((await historyOf(options, '-r', 'never-was', '--all')).length, 3)
  })
})

it('history has nothing of what was only asked for wrongly; the audit log knows of it', async (context) => {
  const { options } = await journalPlace(context)
  await cliOk(['backup', 'app.db'], options)
  const wrong = await cli(['expire', 'app', '--keep-last', '0', '--yes'], options)
  assert.equal(wrong.code, 2)
  const kinds = (await historyOf(options)).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['init', 'backup'])
  assert.ok((await auditOf(options)).some(({ kind }) => kind === 'expire'))
})

describe('a journal that cannot be written', () => {
  const skip = whyNoSmallDisk()

  it('only warns: the backup is made', async (context) => {
    const { options, at } = await journalPlace(context)
    mkdirSync(at('nowhere'))
    makeDatabase(at('nowhere/holdfast'))
    const blocked = { ...options, env: { XDG_STATE_HOME: at('nowhere') } }
    const { last, warnings, ended } = await cliJson('backup', ['app.db'], blocked)
    assert.deepEqual([last.backups.length, warnings.length, ended.code], [1, 1, 3])
    assert.match(warnings[0]?.message ?? '', /cannot be recorded in the history and the audit log/)
    assert.equal((await cliJson('stats', [], blocked)).last.total.backups, 1)
  })

  it('because its disk is full only warns, and is whole once there is space', { skip }, async (context) => {
    const { options } = await journalPlace(context)
    using disk = new SmallDisk(2)
    const small = { ...options, env: { XDG_STATE_HOME: disk.path } }
    await cliOk(['backup', 'app.db'], small)
    disk.fill(0)
    const { last, warnings, ended } = await cliJson('backup', ['app.db'], small)
    assert.deepEqual([last.backups.length, warnings.length, ended.code], [1, 1, 3])
    assert.match(warnings[0]?.message ?? '', /No space left for the journal/)
    disk.free()
    await cliOk(['backup', 'app.db'], small)
    assert.equal((await historyOf(small, '--kind', 'backup')).length, 3)
    assert.equal((await cliJson('audit verify', [], small)).last.ok, true)
  })

  it('because its disk is read-only only warns, and can still be read', { skip }, async (context) => {
    const { options } = await journalPlace(context)
    using disk = new SmallDisk(2)
    const small = { ...options, env: { XDG_STATE_HOME: disk.path } }
    await cliOk(['backup', 'app.db'], small)
    await historyOf(small)
    disk.makeReadOnly()
    const { warnings, ended } = await cliJson('backup', ['app.db'], small)
    assert.deepEqual([warnings.length, ended.code], [1, 3])
    assert.deepEqual(
      (await historyOf(small)).map(({ kind }) => kind),
      ['backup'],
    )
    assert.equal((await cli(['audit', 'verify'], small)).code, 0)
  })
})

describe('stats', () => {
  it('tells of growth by day, of what was saved by what, and how operations went', async (context) => {
    const { options, at } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    change(at('app.db'), "UPDATE users SET name = 'x' WHERE id = 3")
    await cliOk(['backup', 'app.db'], options)
    await cliJsonError(['restore', 'app', '--lsn', '99', '--to', 'x.db'], options)
    const { last } = await cliJson('stats', ['app'], options)
    const [app] = last.databases
    assert.ok(app)
    assert.equal(app.savedByCompression + app.savedByIncrementals, app.savedBytes)
    assert.deepEqual(
      [app.days.reduce((sum, { backups }) => sum + backups, 0), app.days.at(-1)?.totalBytes],
      [2, app.storedBytes],
    )
    assert.deepEqual(
      last.operations.map(({ kind, runs, successRate }) => [kind, runs, successRate]),
      [
        ['backup', 2, 1],
        ['restore', 1, 0],
      ],
    )
    const { stdout } = await cliOk(['stats'], options)
    assert.match(stdout, /by storing changes only, .* by compression/)
    assert.match(stdout, /OPERATION +RUNS +SUCCEEDED[^\n]*\n +init +1[\s\S]*\n +backup +2 +2 +0 +0 +100 %/)
  })
})
