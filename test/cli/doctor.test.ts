import assert from 'node:assert/strict'
import { chmodSync, chownSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

it('doctor says that all is well where it is, with what it looked at', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  const { stdout } = await cliOk(['doctor', 'app.db'], { cwd })
  for (const words of [
    /✓ Node\.js: v\d+/,
    /✓ SQLite: 3\.\d+\.\d+/,
    /✓ zstd: works/,
    /✓ storage: writes, reads, lists and deletes as it did at init/,
    /✓ clock: 20\d\d/,
    /✓ database app: newest good backup [a-z0-9]{12}/,
    /✓ .*app\.db: can be read: .* pages of 4 KiB, UTF-8, 2 tables/,
    /✓ .*app\.db: in WAL mode/,
    /✓ .*app\.db: a full backup reads it in about/,
    /· .*app\.db: which SQLite your application uses cannot be seen/,
    /All is well\.\n$/,
  ])
    assert.match(stdout, words)
})

it('doctor names each problem with what to do, checks the rest all the same, and ends with 1', async (context) => {
  const cwd = await scratchFolder(context)
  writeFileSync(join(cwd, 'notes.txt'), 'no database\n'.repeat(100))
  makeDatabase(join(cwd, 'old.db'), { journal: 'delete' })
  const { last, ended } = await cliJson('doctor', ['notes.txt', 'old.db'], { cwd })
  assert.equal(ended.code, 1)
  const found = (status: string) =>
    last.checks
      .filter((check) => check.status === status)
      .map(({ name, message, hint }) => `${name}: ${message} ${hint}`)
  assert.equal(found('failure').length, 2)
  assert.match(found('failure').join('\n'), /no repository .*holdfast init[\s\S]*notes\.txt is not a SQLite database/)
  assert.match(found('note').join('\n'), /old\.db: has a rollback journal: writers wait/)
  const { stdout } = await cli(['doctor', 'notes.txt'], { cwd })
  assert.match(stdout, /2 problems\.\n$/)
})

it('doctor looks at all else where the repository cannot be listed', async (context) => {
  const cwd = await scratchFolder(context)
  const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
  chmodSync(cwd, 0o755)
  await cliOk(['init'], { cwd })
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['backup', 'app.db'], { cwd })
  const repository = join(cwd, 'backups')
  if (nobody.uid !== undefined) {
    const all = readdirSync(repository, { recursive: true, encoding: 'utf8' })
    for (const path of [repository, ...all.map((name) => join(repository, name))])
      chownSync(path, nobody.uid, nobody.uid)
  }
  const denied = join(repository, 'databases', 'app')
  chmodSync(denied, 0o000)
  const { last, ended } = await cliJson('doctor', [], { cwd, ...nobody })
  chmodSync(denied, 0o700)
  assert.equal(ended.code, 1)
  const statusOf = (name: string) => last.checks.filter((check) => check.name === name).map(({ status }) => status)
  assert.deepEqual(statusOf('databases'), ['failure'])
  for (const name of ['repository', 'storage', 'clock', 'repository space'])
    assert.deepEqual(statusOf(name), ['ok'], name)
})

it('doctor leaves nothing in the repository', async (context) => {
  const cwd = await scratchFolder(context)
  await cliOk(['init'], { cwd })
  await cliOk(['doctor'], { cwd })
  assert.deepEqual(
    readdirSync(join(cwd, 'backups')).filter((name) => name.includes('probe')),
    [],
  )
})
