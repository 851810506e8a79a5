/** What `list`, `show` and `stats` say of databases that are followed, and of backups whose parents are gone. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { cliOk, scratchFolder } from './support/cli.ts'
import { change, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson } from './support/json-lines.ts'

async function followed(context: TestContext, { journal = 'wal' as 'wal' | 'delete', args = [] as string[] } = {}) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path, { rows: 20, journal })
  await cliOk(['init'], { cwd })
  const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'state', ...args])
  await follower.event('started')
  const list = async () => {
    const { last } = await cliJson('list', ['app'], { cwd })
    return { ...last.databases[0], text: (await cliOk(['list', 'app'], { cwd })).stdout }
  }
  return { cwd, path, follower, list }
}

describe('a database that is followed', () => {
  it('is listed with what can be restored of it, before its first backup and before its first commit', async (context) => {
    const { path, follower, list } = await followed(context)
    const { singleStates, followed: none, text } = await list()
    assert.deepEqual([singleStates?.count, singleStates?.fromLsn, singleStates?.toLsn, none], [1, 1, 1, null])
    assert.match(
      text,
      /: 0 backups\none state that was followed, without a backup of it: 20\d\d-\S+ \S+ \+0\d:00, LSN 1\n$/,
    )
    change(path, "INSERT INTO users (name) VALUES ('one')")
    await follower.event('uploaded', ({ lsn }) => lsn === 2)
    const later = await list()
    assert.deepEqual([later.singleStates, later.followed?.toLsn], [null, 2])
    assert.match(later.text, /: 0 backups\nevery commit from .*, LSN 1 to 2\n$/)
  })

  it('is listed with its single states, where it has no log', async (context) => {
    const { cwd, path, follower, list } = await followed(context, {
      journal: 'delete',
      args: ['--delta-interval', '1s'],
    })
    change(path, "INSERT INTO users (name) VALUES ('one')")
    await follower.event('uploaded', ({ lsn }) => lsn === 2)
    const { singleStates, followed: none, text } = await list()
    assert.deepEqual([singleStates?.count, singleStates?.fromLsn, singleStates?.toLsn, none], [2, 1, 2, null])
    assert.match(text, /\n2 single states that were followed, from 20\d\d.* to 20\d\d.*, LSN 1 to 2\n$/)
    await cliOk(['backup', 'app.db'], { cwd })
    assert.equal((await list()).singleStates?.count, 1, 'the other is that of the backup')
  })

  it('has backups that stand on what was followed, and stats of all that is stored', async (context) => {
    const { cwd, path, follower } = await followed(context)
    change(path, "INSERT INTO users (name) VALUES ('one')")
    await cliOk(['backup', 'app.db', '--type', 'snapshot', '--name', 'mark'], { cwd })
    change(path, "INSERT INTO users (name) VALUES ('two')")
    await follower.interrupt()
    assert.match((await cliOk(['show', 'mark'], { cwd })).stdout, /\nparent +none: what was followed leads to it\n/)
    const { last } = await cliJson('stats', ['app'], { cwd })
    const [app] = last.databases
    assert.equal(app?.growth.length, 2)
    assert.equal(app?.growth.at(-1)?.storedBytes, app?.storedBytes)
    const { stdout } = await cliOk(['stats', 'app'], { cwd })
    const [, stored] = /stored +([\d.]+ \S+) in/.exec(stdout) ?? []
    const [, grown] = /growth +.* → ([\d.]+ \S+)\n/.exec(stdout) ?? []
    assert.ok(stored !== undefined)
    assert.equal(grown, stored)
  })
})

describe('a backup whose parent is gone', () => {
  it('says so, and one that stands alone says that', async (context) => {
    const cwd = await scratchFolder(context)
    const path = join(cwd, 'app.db')
    makeDatabase(path, { rows: 20 })
    await cliOk(['init'], { cwd })
    for (let n = 0; n < 3; n += 1) {
      change(path, `INSERT INTO users (name) VALUES ('${n}')`)
      await cliOk(['backup', 'app.db'], { cwd })
    }
    const backups = async () => (await cliJson('list', ['app'], { cwd })).last.databases[0]?.backups ?? []
    const [first, middle, newest] = await backups()
    assert.match((await cliOk(['show', first?.id ?? ''], { cwd })).stdout, /\nparent +none: it stands alone\n/)
    assert.match((await cliOk(['show', newest?.id ?? ''], { cwd })).stdout, new RegExp(`\\nparent +${middle?.id}\\n`))
    await cliOk(['expire', 'app', '--keep-last', '1', '--window', '0', '--yes'], { cwd })
    const left = await backups()
    assert.deepEqual(
      left.map(({ id, parent, parentGone }) => [id, parent, parentGone]),
      [[newest?.id, middle?.id, true]],
    )
    assert.match((await cliOk(['list', 'app'], { cwd })).stdout, new RegExp(` ${middle?.id} \\(gone\\)\\n`))
    assert.match(
      (await cliOk(['show', newest?.id ?? ''], { cwd })).stdout,
      new RegExp(`\\nparent +${middle?.id}, which was let go or deleted since\\n`),
    )
  })
})
