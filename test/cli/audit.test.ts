import assert from 'node:assert/strict'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { describe, it } from 'node:test'
import { cli, cliOk } from './support/cli.ts'
import { change } from './support/database.ts'
import { anchorsIn, auditOf, historyOf, journalPlace } from './support/journal.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

describe('audit', () => {
  it('says who did what, from where, with which parameters, and how it ended', async (context) => {
    const { options, at } = await journalPlace(context)
    await cliOk(['backup', 'app.db', '--name', 'first'], options)
    const remote = {
      ...options,
      env: { ...options.env, SSH_CONNECTION: '192.0.2.7 50000 10.0.0.1 22', SUDO_USER: 'ada' },
    }
    const check = 'echo s3cret; exit 9'
    await cliJsonError(['restore', 'app', '--latest', '--to', 'out.db', '--check', check], remote)

    const entries = await auditOf(options)
    assert.deepEqual(
      entries.map(({ sequence, event, kind, database, outcome, code }) => [
        sequence,
        event,
        kind,
        database,
        outcome,
        code,
      ]),
      [
        [1, 'begin', 'init', null, null, null],
        [2, 'end', 'init', null, 'succeeded', null],
        [3, 'begin', 'backup', 'app', null, null],
        [4, 'end', 'backup', 'app', 'succeeded', null],
        [5, 'begin', 'restore', 'app', null, null],
        [6, 'end', 'restore', 'app', 'failed', 'CHECK_COMMAND_FAILED'],
      ],
    )
    const [, , backup, , restore] = entries
    const { user, uid, host, command, from, sudoUser } = restore?.actor ?? {}
    const me = userInfo()
    assert.deepEqual(
      { user, uid, host, command, from, sudoUser },
      {
        user: me.username,
        uid: me.uid,
        host: hostname(),
        command: 'holdfast restore',
        from: '192.0.2.7',
        sudoUser: 'ada',
      },
    )
    assert.equal(backup?.actor.from, null)
    assert.deepEqual(
      [backup?.parameters['path'], backup?.parameters['name'], restore?.parameters['to'], restore?.parameters['state']],
      [at('app.db'), 'first', at('out.db'), 'latest'],
    )
    assert.doesNotMatch(JSON.stringify(entries), /s3cret/)
    assert.doesNotMatch(JSON.stringify(await historyOf(options)), /s3cret/)

    const { stdout } = await cliOk(['audit', '--user', 'ada'], options)
    const [title, line, ...rest] = stdout.trimEnd().split('\n')
    assert.match(title ?? '', /^TIME +USER +FROM +COMMAND +OPERATION +DATABASE +OUTCOME +REPOSITORY +PARAMETERS$/)
    assert.match(
      line ?? '',
      / ada as \S+ +192\.0\.2\.7 to .* holdfast restore +restore +app +failed CHECK_COMMAND_FAILED +\S+backups +checked state=latest to=/,
    )
    assert.deepEqual(rest, [])
    assert.equal((await auditOf(options, '--database', 'app', '--until', 'now')).length, 4)
    assert.equal((await auditOf(options, '--since', 'now')).length, 0)
  })

  it('is proved whole, against what the repository remembers of it', async (context) => {
    const { options, at, elsewhere } = await journalPlace(context)
    assert.equal((await cliJson('audit verify', [], elsewhere)).last.ok, false)
    assert.match((await cliOk(['audit', 'verify'], elsewhere)).stdout, /^There is no audit log here yet\.\n$/)
    assert.deepEqual(anchorsIn(at('backups')), [], 'one that this very process began may not last')
    await cliOk(['backup', 'app.db'], options)
    assert.equal(anchorsIn(at('backups')).length, 1)
    const { last, ended } = await cliJson('audit verify', [], options)
    assert.deepEqual(
      [ended.code, last.ok, last.entries, last.head?.sequence, last.finding, last.comparedWith],
      [0, true, 4, 4, null, `file://${at('backups')}`],
    )
    const { stdout, code } = await cli(['audit', 'verify', '-r', 'none-here'], options)
    assert.deepEqual([code, /cannot be told whether its end was cut off/.test(stdout)], [0, true])
  })

  const tamperings: Readonly<Record<string, readonly [sql: string, problem: RegExp]>> = {
    'that was changed': [
      `UPDATE audit SET entry = replace(entry, '"outcome":"succeeded"', '"outcome":"failed"') WHERE sequence = 4`,
      /^Entry 4 was changed/,
    ],
    'that is missing': ['DELETE FROM audit WHERE sequence = 3', /^Entry 3 is missing\.$/],
    'that was put in': [
      'UPDATE audit SET sequence = -sequence WHERE sequence > 3; UPDATE audit SET sequence = 1 - sequence WHERE sequence < 0; INSERT INTO audit SELECT 4, entry, hash FROM audit WHERE sequence = 3',
      /^In the place of entry 4 stands the one that was written as entry 3\.$/,
    ],
    'that changed its place': [
      'UPDATE audit SET sequence = -2 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 5; UPDATE audit SET sequence = 5 WHERE sequence = -2',
      /^In the place of entry 2 stands the one that was written as entry 5\.$/,
    ],
    'that was cut off at the end, with the head of the journal': [
      'DELETE FROM audit WHERE sequence > 4; UPDATE audit_chain SET (sequence, hash) = (SELECT sequence, hash FROM audit WHERE sequence = 4)',
      /^Entries 5 to 6 are missing at the end: file:.*backups remembers more\.$/,
    ],
  }
  for (const [what, [sql, problem]] of Object.entries(tamperings)) {
    it(`finds an entry ${what}, and names it`, async (context) => {
      const { options, journal } = await journalPlace(context)
      await cliOk(['backup', 'app.db'], options)
      await cliOk(['verify'], options)
      assert.throws(() => change(journal, sql), /append-only/, 'not by accident')
      change(journal, `DROP TRIGGER audit_keeps; DROP TRIGGER audit_stays; ${sql}`)
      const { last, ended } = await cliJson('audit verify', [], options)
      assert.deepEqual([ended.code, last.ok], [5, false])
      assert.match(last.finding?.problem ?? '', problem)
      const { stdout, code } = await cli(['audit', 'verify'], options)
      assert.equal(code, 5)
      assert.match(stdout, /^THE AUDIT LOG WAS TAMPERED WITH, or is damaged: .*journal\.db\n/)
    })
  }

  it('finds that the head was removed, with and without a repository that remembers it, and adds nothing to such a log', async (context) => {
    const { options, journal } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    change(journal, 'DELETE FROM audit_chain')
    for (const place of [[], ['-r', 'none-here']]) {
      const { last, ended } = await cliJson('audit verify', place, options)
      assert.deepEqual([ended.code, last.ok, last.entries, last.finding?.sequence, last.head], [5, false, 0, 1, null])
      assert.match(last.finding?.problem ?? '', /^The head of the log is missing/)
    }
    const { warnings, ended } = await cliJson('verify', [], options)
    assert.equal(ended.code, 3)
    assert.match(warnings[0]?.message ?? '', /cannot be recorded .* its head is missing\..*"holdfast audit verify"/)
    assert.equal((await auditOf(options)).length, 4)
    const { last } = await cliJsonError(['audit', 'export', '--to', 'audit.log'], options)
    assert.equal(last.code, 'INTEGRITY')
  })

  it('that lost its end is noticed by the next command, and stays noticed while it grows again', async (context) => {
    const { options, journal } = await journalPlace(context)
    for (let i = 0; i < 3; i += 1) await cliOk(['verify'], options)
    change(
      journal,
      `DROP TRIGGER audit_keeps; DELETE FROM audit WHERE sequence > 2;
      UPDATE audit_chain SET (sequence, hash) = (SELECT sequence, hash FROM audit WHERE sequence = 2)`,
    )
    for (let i = 0; i < 4; i += 1) {
      const { warnings, ended } = await cliJson('verify', [], options)
      assert.equal(ended.code, 3)
      assert.match(warnings[0]?.message ?? '', /is not the one that the repository remembers/)
    }
    assert.equal((await cliJson('audit verify', [], options)).ended.code, 5)
  })

  it('that was thrown away is missed by the repository', async (context) => {
    const { options, journal } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    rmSync(journal)
    await cliOk(['verify'], options)
    const { warnings, ended } = await cliJson('audit verify', [], options)
    assert.equal(ended.code, 3)
    assert.match(
      warnings[0]?.message ?? '',
      /remembers another audit log of this user on this machine, .* with 4 entries/,
    )
  })

  it('is exported to a new file, which proves itself', async (context) => {
    const { options, at } = await journalPlace(context)
    await cliOk(['backup', 'app.db'], options)
    const { last } = await cliJson('audit export', ['--to', 'audit.log'], options)
    assert.deepEqual([last.path, last.entries], [at('audit.log'), 4])
    assert.equal(statSync(at('audit.log')).mode & 0o777, 0o600)
    const { last: whole } = await cliJson('audit verify', ['audit.log'], options)
    assert.deepEqual([whole.ok, whole.entries, whole.comparedWith], [true, 4, `file://${at('backups')}`])
    const { last: again } = await cliJsonError(['audit', 'export', '--to', 'audit.log'], options)
    assert.equal(again.code, 'TARGET_EXISTS')
    const lines = readFileSync(at('audit.log'), 'utf8').split('\n')
    writeFileSync(at('cut.log'), lines.toSpliced(3).join('\n'))
    const { last: cut } = await cliJson('audit verify', ['cut.log'], options)
    assert.deepEqual([cut.ok, cut.finding?.sequence], [false, 3])
    const { last: none } = await cliJsonError(['audit', 'verify', 'app.db'], options)
    assert.equal(none.code, 'INTEGRITY')
    const { last: missing } = await cliJsonError(['audit', 'verify', 'missing.log'], options)
    assert.deepEqual([missing.code, missing.exitCode], ['USAGE', 2])
  })
})
