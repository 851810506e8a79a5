import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

const megabyte = 1024 ** 2

it('a mirror on a full disk gives up what is due there, takes what is new, and says what is wrong while nothing is due', {
  skip: whyNoSmallDisk(),
}, async (context) => {
  const cwd = await scratchFolder(context)
  const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
  using disk = new SmallDisk(16)
  const nas = disk.file('nas')
  makeDatabase(join(cwd, 'app.db'), { rows: 200, bytes: 10_000 })
  await cliOk(['init'], { cwd, env })
  const backUp = () => cliOk(['backup', 'app.db', '--type', 'full'], { cwd, env })
  for (let count = 0; count < 3; count += 1) await backUp()
  await cliOk(['mirror', nas], { cwd, env })
  const segments = () => readdirSync(join(nas, 'databases/app/segments')).length
  assert.equal(segments(), 3)
  disk.fill(megabyte)
  await backUp()
  const refused = await cliJsonError(['mirror', nas], { cwd, env })
  assert.equal(refused.last.code, 'DISK_FULL')
  assert.equal(segments(), 3)

  await cliOk(['expire', 'app', '--yes', '--keep-last', '1', '--window', '0', '--grace', '0s'], { cwd, env })
  const { last } = await cliJson('mirror', [nas, '--grace', '0s'], { cwd, env })
  assert.deepEqual([last.mirrors[0]?.complete, last.mirrors[0]?.heldBack], [true, []])
  assert.equal(segments(), 1)
  await cliOk(['verify', '--repository', nas, '--level', 'restore'], { cwd, env })
})
