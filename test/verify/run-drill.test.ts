/** Drills through the library: in an engine process, with the report that a drill in this process would give. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { sqlite } from '../../src/backup/sqlite-database.ts'
import { hasCode } from '../../src/errors.ts'
import { BackupManager } from '../../src/library/backup-manager.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { runDrill } from '../../src/verify/drill/run-drill.ts'
import { SampleDatabase } from '../scenarios/support/sample-database.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function backedUp() {
  const folder = temporaryFolder()
  const scratch = temporaryFolder()
  const storage = new MemoryStorage()
  const app = new SampleDatabase(folder.path)
  const { metadata } = await app.backup(await Repository.init(storage), { type: 'full' })
  return {
    storage,
    metadata,
    path: app.path,
    scratchFolder: scratch.path,
    [Symbol.dispose]: () => {
      folder[Symbol.dispose]()
      scratch[Symbol.dispose]()
    },
  }
}

describe('a drill through the library', () => {
  it('reports from its engine, with a storage of the host', async () => {
    using at = await backedUp()
    const phases = new Set<string>()
    const report = await runDrill({
      repository: at.storage,
      database: 'app',
      assertions: [
        { sql: 'SELECT 9223372036854775807', expect: 9223372036854775807n },
        { sql: 'SELECT count(*) FROM users', expect: [[300]], name: 'users' },
        { sql: 'SELECT 0', name: 'never' },
      ],
      command: ['test', '-s'],
      scratchFolder: at.scratchFolder,
      onProgress: ({ phase }) => phases.add(phase),
    })
    assert.deepEqual([report.verdict, report.reasons], ['failed', ['assertion "never": It yields 0: false.']])
    assert.deepEqual(
      report.checks.slice(4).map(({ kind, name, outcome }) => [kind, name, outcome]),
      [
        ['assertion', 'SELECT 9223372036854775807', 'passed'],
        ['assertion', 'users', 'passed'],
        ['assertion', 'never', 'failed'],
        ['command', undefined, 'passed'],
      ],
    )
    assert.equal(report.state?.backup?.id, at.metadata.id)
    assert.ok(phases.has('fetch') && phases.has('command'))
    assert.deepEqual(readdirSync(at.scratchFolder), [])
  })

  it('is one of the manager of a database', async () => {
    using at = await backedUp()
    await using backups = await BackupManager.open({ source: sqlite(at.path), repository: at.storage })
    const { verdict, database } = await backups.drill({ scratchFolder: at.scratchFolder })
    assert.deepEqual([verdict, database], ['passed', 'app'])
  })

  it('refuses options that make no sense, and names that are not there', async () => {
    using at = await backedUp()
    const place = { repository: at.storage, database: 'app' }
    await assert.rejects(runDrill({ ...place, assertions: [{ sql: ' ' }] }), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(runDrill({ ...place, timeLimitMs: -1 }), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(runDrill({ ...place, database: 'none' }), (error) => hasCode(error, 'NAME_NOT_FOUND'))
  })

  it('stops when told to, and leaves nothing', async () => {
    using at = await backedUp()
    const controller = new AbortController()
    const stopped = runDrill({
      repository: at.storage,
      database: 'app',
      command: 'sleep 600',
      scratchFolder: at.scratchFolder,
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'command') controller.abort()
      },
    })
    await assert.rejects(stopped, (error) => hasCode(error, 'ABORTED'))
    assert.deepEqual(readdirSync(at.scratchFolder), [])
  })
})
