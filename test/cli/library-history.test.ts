/** What an application does with the library, commands show beside their own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { LocalStorage } from '../../src/index.ts'
import { readAuditAnchors } from '../../src/repository/audit-anchor.ts'
import { cliOk } from './support/cli.ts'
import { auditOf, historyOf, journalPlace } from './support/journal.ts'
import { cliJson } from './support/json-lines.ts'

const host = join(import.meta.dirname, '../library/programs/busy-host.ts')

it('history and audit show what an application did, and the repository remembers its audit log', async (context) => {
  const { cwd, options, at, journal } = await journalPlace(context)
  await cliOk(['backup', 'app.db'], options)
  const words = [host, at('app.db'), at('backups'), journal, '2']
  const { status, stderr } = spawnSync(process.execPath, words, { cwd, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const lines = await historyOf(options)
  assert.deepEqual(
    lines.map(({ kind, subtype, trigger, outcome, rebuilt }) => [kind, subtype, trigger, outcome, rebuilt]),
    [
      ['init', null, 'manual', 'succeeded', false],
      ['backup', 'full', 'manual', 'succeeded', false],
      ['backup', 'full', 'library', 'succeeded', false],
      ['backup', 'full', 'library', 'succeeded', false],
    ],
  )
  const entries = await auditOf(options)
  const [first] = entries
  const last = entries.at(-1)
  assert.deepEqual([last?.kind, last?.event, last?.outcome, last?.actor.command], ['backup', 'end', 'succeeded', host])
  // As to who it was, there is no difference.
  assert.deepEqual(
    [last?.actor.user, last?.actor.host, last?.repository],
    [first?.actor.user, first?.actor.host, first?.repository],
  )
  // The application noted how far the log had come, which the next command finds to be so.
  const { last: verified } = await cliJson('audit verify', [], options)
  assert.deepEqual([verified.ok, verified.entries, verified.comparedWith], [true, 8, `file://${at('backups')}`])
  const storage = new LocalStorage(at('backups'))
  const { anchors } = await readAuditAnchors(storage)
  await storage.close()
  assert.deepEqual(
    anchors.map(({ sequence, hash }) => [sequence, hash]),
    [[8, last?.hash]],
  )
})
