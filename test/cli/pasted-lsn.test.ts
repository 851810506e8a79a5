import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { listedText } from '../../src/cli/present/list.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

const time = '2026-01-31T14:00:00.000Z'
const states = { fromLsn: 1234, toLsn: 12345, fromTime: time, toTime: time }

it('an LSN is shown as "--lsn" takes it, however large it is', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  const [listed] = (await cliJson('list', ['app'], { cwd })).last.databases
  assert.ok(listed)
  const without = { ...listed, backups: [] }
  const texts = [
    listedText({ ...without, followed: { ...states, earlierWindows: 0 } }),
    listedText({ ...without, singleStates: { ...states, count: 2 } }),
    listedText({ ...without, singleStates: { ...states, count: 1 } }),
  ]
  for (const text of texts) assert.match(text, /\bLSN (1234 to )?12345$/)
  assert.match(listedText({ ...listed, backups: listed.backups.map((each) => ({ ...each, lsn: 12345 })) }), / 12345 /)
})
