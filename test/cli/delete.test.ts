/** Deleting one backup, above all of a database that is being followed: then its follower does it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { BackupManager, hasCode, sqlite } from '../../src/index.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { auditOf, historyOf, journalPlace } from './support/journal.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

/** A full backup, then following, then a snapshot and a full backup, each a row later. */
async function followed(context: TestContext) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { rows: 20 })
  await cliOk(['init'], { cwd })
  const backUp = async (...args: string[]) =>
    (await cliJson('backup', ['app.db', ...args], { cwd })).last.backups[0]?.backup ?? assert.fail()
  const first = await backUp('--type', 'full')
  const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'state'])
  await follower.event('started')
  const add = (name: string) => change(path, `INSERT INTO users (name) VALUES ('${name}')`)
  add('one')
  const mark = await backUp('--type', 'snapshot', '--name', 'mark')
  add('two')
  const newest = await backUp('--type', 'full')
  const ids = async () => (await cliJson('list', ['app'], { cwd })).last.databases[0]?.backups.map(({ id }) => id)
  return { cwd, path, first, mark, newest, follower, add, ids }
}

describe('delete beside a follower', () => {
  it('is done by the follower, which goes on without a gap; no commit is lost with the backup', async (context) => {
    const { cwd, path, first, mark, newest, follower, add, ids } = await followed(context)
    const { last: dry } = await cliJson('delete', ['app', newest.id, '--force', '--dry-run'], { cwd })
    assert.deepEqual([dry.dryRun, dry.backup.id], [true, newest.id])
    assert.deepEqual(await ids(), [first.id, mark.id, newest.id])

    const { last: sound } = await cliJsonError(['delete', 'app', newest.id, '--yes'], { cwd })
    assert.deepEqual([sound.code, /--force/.test(sound.hint ?? '')], ['BACKUP_NEEDED', true])
    const { last: needed } = await cliJsonError(['delete', 'app', first.id, '--yes'], { cwd })
    assert.match(needed.message, new RegExp(`restore ${mark.id} \\(mark\\)\\.`))
    assert.match(needed.hint ?? '', new RegExp(`^Delete that one before this one\\. Unpin first: ${mark.id}\\.`))
    await cliOk(['unpin', 'mark'], { cwd })
    const { last: deleted } = await cliJson('delete', ['app', mark.id.slice(0, 8), '--yes'], { cwd })
    assert.equal(deleted.backup.id, mark.id)
    await cliJson('delete', ['app', newest.id, '--force', '--yes'], { cwd })
    assert.deepEqual(await ids(), [first.id])

    add('three')
    const { result } = await follower.interrupt()
    assert.deepEqual([result.databases[0]?.gaps, result.databases[0]?.error], [0, null])
    await cliOk(['verify', 'app', '--level', 'restore'], { cwd })
    const users = count(path, 'users')
    for (const [lsn, rows] of [
      [first.lsn, users - 3],
      [mark.lsn, users - 2],
      [newest.lsn, users - 1],
      [newest.lsn + 1, users],
    ] as const) {
      await cliOk(['restore', 'app', '--lsn', `${lsn}`, '--to', `${lsn}.db`], { cwd })
      assert.equal(count(join(cwd, `${lsn}.db`), 'users'), rows, `LSN ${lsn}`)
    }
  })

  it('is done there for an application too', async (context) => {
    const { cwd, path, first, mark, newest, follower, ids } = await followed(context)
    {
      const repository = join(cwd, 'backups')
      await using backups = await BackupManager.open({ source: sqlite(path), repository, journal: false })
      await assert.rejects(backups.deleteBackup('mark'), (error) => hasCode(error, 'BACKUP_PINNED'))
      await backups.unpinBackup('mark')
      const planned = await backups.deleteBackup('mark', { dryRun: true })
      const { backup, freedBytes } = await backups.deleteBackup('mark')
      assert.deepEqual([backup.id, freedBytes], [mark.id, planned.freedBytes])
      assert.deepEqual(await ids(), [first.id, newest.id])
    }
    const { result } = await follower.interrupt()
    assert.equal(result.databases[0]?.error, null)
  })
})

describe('delete', () => {
  it('refuses a pinned backup, also with --force, and says how to unpin it', async (context) => {
    const { options } = await journalPlace(context)
    await cliOk(['backup', 'app.db', '--type', 'snapshot', '--name', 'before-migration'], options)
    await cliOk(['backup', 'app.db', '--type', 'full'], options)
    for (const flag of ['--yes', '--force', '--dry-run']) {
      const { last } = await cliJsonError(['delete', 'app', 'before-migration', flag, '--yes'], options)
      assert.equal(last.code, 'BACKUP_PINNED')
      assert.match(last.message, /"before-migration" is pinned, as every snapshot is until it is unpinned\.$/)
      assert.match(last.hint ?? '', /holdfast unpin [a-z0-9]{12}, then delete it/)
    }
    await cliOk(['unpin', 'before-migration'], options)
    await cliOk(['delete', 'app', 'before-migration', '--yes'], options)
  })

  it('and pin are recorded with the full id of the backup and the repository, however it was asked for', async (context) => {
    const { options, at } = await journalPlace(context)
    await cliOk(['backup', 'app.db', '--name', 'first'], options)
    await cliOk(['backup', 'app.db', '--type', 'full'], options)
    const [{ backupId } = assert.fail()] = (await historyOf(options)).filter(({ kind }) => kind === 'backup')
    const id = backupId ?? assert.fail()
    await cliOk(['pin', id.slice(0, 5)], options)
    await cliOk(['unpin', 'first'], options)
    await cliOk(['delete', 'app', id.slice(0, 5), '--yes'], options)
    const ends = (await auditOf(options)).filter(({ event, kind }) => event === 'end' && /pin|delete/.test(kind))
    assert.deepEqual(
      ends.map(({ kind, backupId: told, repository }) => [kind, told, repository]),
      ['pin', 'unpin', 'delete'].map((kind) => [kind, id, `file://${at('backups')}`]),
    )
    const { stdout } = await cliOk(['audit'], options)
    for (const kind of ['pin', 'unpin', 'delete'])
      assert.match(stdout, new RegExp(` ${kind} +app +succeeded +file://${at('backups')} +backup=${id}\\n`))
  })
})
