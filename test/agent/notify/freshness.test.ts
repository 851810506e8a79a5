import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFreshness } from '../../../src/agent/notify/conditions/freshness.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { manifestKey, segmentKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'

test('how new a database is can be told from the names in the repository alone', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  assert.deepEqual(await readFreshness(database), {
    database: 'app',
    newestBackupAt: undefined,
    newestCommitAt: undefined,
  })

  const put = (key: string) => repository.storage.put(key, Buffer.from('unread'))
  await put(manifestKey('app', { capturedAt: '2026-01-01T10:00:00.000Z', type: 'full', id: 'aaaaaaaaaaaa' }))
  await put(manifestKey('app', { capturedAt: '2026-01-31T14:00:00.123Z', type: 'incremental', id: 'bbbbbbbbbbbb' }))
  await put(manifestKey('other', { capturedAt: '2026-02-28T14:00:00.123Z', type: 'full', id: 'cccccccccccc' }))
  const log = { from: toLsn(1), to: toLsn(9), epoch: 1, firstTime: 1_700_000_000_000, lastTime: 1_700_000_001_000 }
  await put(segmentKey('app', { ...log, kind: 'log' }))
  // A base or delta without a manifest is what an interrupted backup leaves.
  await put(segmentKey('app', { ...log, kind: 'delta', lastTime: 1_900_000_000_000 }))
  assert.deepEqual(await readFreshness(database), {
    database: 'app',
    newestBackupAt: Date.parse('2026-01-31T14:00:00.123Z'),
    newestCommitAt: 1_700_000_001_000,
  })
})
