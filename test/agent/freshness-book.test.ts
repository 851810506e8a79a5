import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentLog } from '../../src/agent/agent-log.ts'
import { FreshnessBook } from '../../src/agent/freshness-book.ts'
import type { RecordedOperation } from '../../src/agent/journal/recorded-operation.ts'
import { recallMadeBackups } from '../../src/agent/made-backups.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { manifestKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { Engine } from './notify/support/alerts.ts'
import { ManualClock } from './notify/support/manual-clock.ts'
import { databaseConfig } from './support/database-config.ts'
import { app, followApp } from './support/followed-app.ts'

const hour = 3_600_000

async function scene() {
  const repository = await Repository.init(new MemoryStorage())
  const clock = new ManualClock()
  const { name, path } = app
  const capturedAt = new Date(clock.now() - 48 * hour).toISOString()
  await repository.storage.put(manifestKey(name, { capturedAt, type: 'full', id: 'aaaaaaaaaaaa' }), Buffer.from('x'))
  const { followed, following } = await followApp(clock)
  const config = databaseConfig({ source: { kind: 'path', path, name }, overdueAfterMs: 24 * hour })
  const book = new FreshnessBook()
  const engine = new Engine()
  const look = async () => {
    engine.now = clock.now()
    const observations = await book.observe(
      { name, path, config, followed },
      repository.database(name),
      clock.now(),
      new AbortController().signal,
    )
    return engine.see(...observations).map(({ state, key }) => `${state} ${key}`)
  }
  return { clock, following, look }
}

test('a database in which nothing was committed for days is not called overdue while its following begins', async () => {
  const { clock, following, look } = await scene()
  assert.deepEqual(await look(), [])
  following.emit({ kind: 'started', mode: 'commits', how: 'unchanged', lsn: toLsn(1), time: 1 })
  assert.deepEqual(await look(), [])
  await clock.pass(hour)
  assert.deepEqual(await look(), [])
})

test('a database of which following does not begin is overdue', async () => {
  const { clock, look } = await scene()
  assert.deepEqual(await look(), [])
  await clock.pass(hour)
  assert.deepEqual(await look(), ['firing overdue/app'])
})

test('the last backup is when it was made, also where the repository only tells of an older state', async () => {
  const repository = await Repository.init(new MemoryStorage())
  const made = Date.parse('2026-03-10T02:00:00Z')
  const capturedAt = new Date(made - 240 * hour).toISOString()
  await repository.storage.put(manifestKey('app', { capturedAt, type: 'full', id: 'aaaaaaaaaaaa' }), Buffer.from('x'))
  const book = new FreshnessBook()
  const journal = {
    operations: async () =>
      [
        ['app', 'succeeded', made],
        ['app', 'failed', made + hour],
      ].map(([database, outcome, startedAt]) => ({ database, outcome, startedAt }) as RecordedOperation),
  }
  const log = new AgentLog(
    { level: 'info', format: 'text' },
    (line) => assert.fail(line),
    () => made,
  )
  await recallMadeBackups({ journal, repository, freshness: book, log })
  const { signal } = new AbortController()
  await book.read(repository.database('app'), signal)
  assert.equal(book.lastBackupAt('app'), made)
  book.backedUp('app', made + 24 * hour)
  await book.read(repository.database('app'), signal)
  assert.equal(book.lastBackupAt('app'), made + 24 * hour)
  assert.equal(book.get('app')?.newestBackupAt, made - 240 * hour)
})
