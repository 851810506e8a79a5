import assert from 'node:assert/strict'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, integrity, makeDatabase, startWriter } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function followed(context: TestContext, { journal = 'wal' as 'wal' | 'delete', args = [] as string[] } = {}) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { journal })
  await cliOk(['init'], { cwd })
  const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'state', ...args])
  await follower.event('started')
  return { cwd, path, follower, at: (name: string) => join(cwd, name) }
}

describe('a backup of a database that is being followed', () => {
  it('is made by the follower: a quiet database needs no segment for it, and every commit stays a restore point', async (context) => {
    const { cwd, path, follower, at } = await followed(context)
    change(path, "INSERT INTO users (name) VALUES ('in')")
    const { last } = await cliJson('backup', ['app.db', '--type', 'snapshot', '--name', 'mark'], { cwd })
    const [{ backup } = assert.fail()] = last.backups
    assert.deepEqual(
      [backup.type, backup.lsn, backup.segment, backup.storedBytes, backup.pinned],
      ['snapshot', 2, null, 0, true],
    )
    assert.equal(backup.source.tables.find(({ name }) => name === 'users')?.rows, count(path, 'users'))
    change(path, 'DELETE FROM orders; DELETE FROM users')
    await follower.interrupt()
    await cliOk(['restore', 'app', '--name', 'mark', '--to', 'marked.db'], { cwd })
    assert.ok(count(at('marked.db'), 'users') > 0)
    await cliOk(['restore', 'app', '--latest', '--to', 'latest.db'], { cwd })
    assert.equal(count(at('latest.db'), 'users'), 0)
    await cliOk(['verify', 'app', '--level', 'restore'], { cwd })
    const { stdout } = await cliOk(['show', 'mark'], { cwd })
    assert.match(stdout, /LSN +2/)
  })

  it('is of exactly the state that it checked, while a writer goes on at full speed', async (context) => {
    const { cwd, path, follower, at } = await followed(context)
    await startWriter(context, path)
    const backups = []
    for (const type of ['incremental', 'full', 'incremental']) {
      const { last } = await cliJson('backup', ['app.db', '--type', type], { cwd })
      backups.push(last.backups[0]?.backup ?? assert.fail())
    }
    await follower.interrupt()
    for (const { id, source } of backups) {
      // The restore compares schema and row counts with what was counted in the live database.
      await cliOk(['restore', 'app', '--backup', id, '--to', `${id}.db`], { cwd })
      for (const { name, rows } of source.tables) assert.equal(count(at(`${id}.db`), name), rows)
      assert.equal(integrity(at(`${id}.db`)), 'ok')
    }
    assert.deepEqual(
      backups.map(({ segmentKind }) => segmentKind),
      [null, 'base', null],
    )
  })

  it('of a database without a log too', async (context) => {
    const { cwd, path, follower, at } = await followed(context, { journal: 'delete', args: ['--delta-interval', '1h'] })
    change(path, "INSERT INTO users (name) VALUES ('in')")
    const users = count(path, 'users')
    const { last } = await cliJson('backup', ['app.db'], { cwd })
    const [{ backup } = assert.fail()] = last.backups
    assert.equal(backup.type, 'incremental')
    change(path, 'DELETE FROM orders; DELETE FROM users')
    await follower.interrupt()
    await cliOk(['restore', 'app', '--backup', backup.id, '--to', 'back.db'], { cwd })
    assert.equal(count(at('back.db'), 'users'), users)
  })

  it('notices that another file took the place of one without a log, also if both were written to as often', async (context) => {
    const { cwd, path, follower, at } = await followed(context, { journal: 'delete', args: ['--delta-interval', '1h'] })
    makeDatabase(at('other.db'), { journal: 'delete', rows: 7 })
    const counter = (file: string) => readFileSync(file).readUInt32BE(24)
    assert.equal(counter(at('other.db')), counter(path))
    renameSync(at('other.db'), path)
    const { last } = await cliJson('backup', ['app.db'], { cwd })
    const [{ backup } = assert.fail()] = last.backups
    await follower.interrupt()
    await cliOk(['restore', 'app', '--backup', backup.id, '--to', 'back.db'], { cwd })
    assert.equal(count(at('back.db'), 'users'), 7)
  })

  it('makes no writer of a database without a log fail', async (context) => {
    const { cwd, path, follower, at } = await followed(context, { journal: 'delete', args: ['--delta-interval', '1h'] })
    await startWriter(context, path)
    const { last } = await cliJson('backup', ['app.db', '--type', 'full'], { cwd })
    const [{ backup } = assert.fail()] = last.backups
    await follower.interrupt()
    await cliOk(['restore', 'app', '--backup', backup.id, '--to', 'back.db'], { cwd })
    for (const { name, rows } of backup.source.tables) assert.equal(count(at('back.db'), name), rows)
  })

  it('is refused if the database fails its checks, if the name is taken, or if it is another file', async (context) => {
    const { cwd, path, at } = await followed(context)
    await cliOk(['backup', 'app.db', '--name', 'one'], { cwd })
    const refusal = async (...args: string[]) => (await cliJsonError(['backup', ...args], { cwd })).last.code
    assert.equal(await refusal('app.db', '--name', 'one'), 'NAME_TAKEN')
    assert.equal(await refusal('app.db', '--parent', 'one'), 'USAGE')
    makeDatabase(at('other.db'))
    assert.equal(await refusal('other.db', '--database', 'app'), 'NAME_TAKEN')
    using database = new DatabaseSync(path)
    database.exec(
      'PRAGMA foreign_keys = off; CREATE TABLE child (id REFERENCES users (id)); INSERT INTO child VALUES (123456)',
    )
    assert.equal(await refusal('app.db'), 'DATABASE_DAMAGED')
    const { ended } = await cliJson('backup', ['app.db', '--allow-damaged'], { cwd })
    assert.equal(ended.code, 0)
    const list = await cliJson('list', ['app'], { cwd })
    assert.equal(list.last.databases[0]?.backups.length, 2)
  })

  it('ends with the follower, and is made alone once that was killed', async (context) => {
    const { cwd, follower } = await followed(context)
    await follower.kill()
    const { stdout } = await cliOk(['backup', 'app.db'], { cwd })
    assert.match(stdout, /full|incremental/)
    const again = await cli(['backup', 'app.db'], { cwd })
    assert.equal(again.code, 0)
  })

  it('is refused at once while the file is gone, and made again once it is back', async (context) => {
    const { cwd, path, follower, at } = await followed(context)
    for (const end of ['', '-wal', '-shm']) renameSync(`${path}${end}`, at(`aside.db${end}`))
    await follower.event('retrying', ({ what }) => what === 'database')
    const { last } = await cliJsonError(['backup', 'app.db'], { cwd })
    assert.deepEqual([last.code, /cannot be followed at the moment/.test(last.message)], ['NOT_RUNNING', true])
    for (const end of ['', '-wal', '-shm']) renameSync(at(`aside.db${end}`), `${path}${end}`)
    const made = async (): Promise<boolean> => (await cli(['backup', 'app.db'], { cwd })).code === 0
    while (!(await made()));
  })

  it('is known by its path, whatever its name in the repository is', async (context) => {
    const { cwd, path } = await followed(context, { args: ['--database', 'main'] })
    change(path, "INSERT INTO users (name) VALUES ('in')")
    const { last } = await cliJson('backup', ['app.db'], { cwd })
    assert.deepEqual([last.backups[0]?.backup.database, last.backups[0]?.backup.segment], ['main', null])
  })
})
