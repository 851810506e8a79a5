import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FollowedDatabase } from '../../src/agent/follow/followed-database.ts'
import { FreshnessBook } from '../../src/agent/freshness-book.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { manifestKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { Engine } from './notify/support/alerts.ts'
import { ManualClock, turns } from './notify/support/manual-clock.ts'
import { databaseConfig } from './support/database-config.ts'
import { FakePool } from './support/fake-worker.ts'

const hour = 3_600_000

async function scene() {
  const repository = await Repository.init(new MemoryStorage())
  const clock = new ManualClock()
  const name = 'app'
  const path = '/srv/app.db'
  const capturedAt = new Date(clock.now() - 48 * hour).toISOString()
  await repository.storage.put(manifestKey(name, { capturedAt, type: 'full', id: 'aaaaaaaaaaaa' }), Buffer.from('x'))
  const pool = new FakePool()
  const followed = new FollowedDatabase({
    name,
    path,
    storage: { kind: 'host' },
    request: {},
    pool,
    clock,
    mayStart: async () => () => {},
    onEvent: () => {},
    onState: () => {},
  })
  followed.start()
  await turns()
  const [following = assert.fail()] = pool.worker.followings
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
