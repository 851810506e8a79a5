import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { cli } from './support/cli.ts'

it('nothing is begun on an empty mount point where a repository was, whichever command comes by', async () => {
  using folder = temporaryFolder()
  const [place, path, config] = [folder.file('disk'), folder.file('app.db'), folder.file('holdfast.yaml')]
  const env = { XDG_STATE_HOME: folder.file('state') }
  using database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = wal; CREATE TABLE t (x)')
  writeFileSync(config, `repository: ${place}\ndatabases:\n  - path: ${path}\n`)
  const made = await cli(['init', '--repository', place, '--json'], { env })
  const { id } = JSON.parse(made.stdout).repository
  renameSync(place, `${place}.away`)
  mkdirSync(place)
  for (const args of [
    ['backup', path, '--repository', place],
    ['follow', path, '--repository', place],
    ['run', '--config', config],
  ]) {
    const { code, stderr } = await cli(args, { env })
    assert.equal(code, 4, stderr)
    assert.match(stderr, new RegExp(`There is no repository at .*disk, where ${id} was before\\.`))
    assert.match(stderr, /If it is on a disk that is not mounted, mount that\./)
    assert.deepEqual(readdirSync(place), [])
  }
  rmdirSync(place)
  renameSync(`${place}.away`, place)
  const { code, stderr } = await cli(['backup', path, '--repository', place], { env })
  assert.equal(code, 0, stderr)
})
