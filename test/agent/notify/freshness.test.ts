import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFreshness } from '../../../src/agent/notify/conditions/freshness.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { manifestKey, segmentKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { putFollowLease } from '../support/follow-lease.ts'

const now = Date.parse('2030-01-01T00:00:00Z')
const minute = 60_000
const hour = 60 * minute

test('how new a database is can be told from the names in the repository alone', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  assert.deepEqual(await readFreshness(database, now), {
    database: 'app',
    newestBackupAt: undefined,
    newestCommitAt: undefined,
    coveredAt: undefined,
    coveredUntil: undefined,
  })

  const put = (key: string) => repository.storage.put(key, Buffer.from('unread'))
  await put(manifestKey('app', { capturedAt: '2026-01-01T10:00:00.000Z', type: 'full', id: 'aaaaaaaaaaaa' }))
  await put(manifestKey('app', { capturedAt: '2026-01-31T14:00:00.123Z', type: 'incremental', id: 'bbbbbbbbbbbb' }))
  await put(manifestKey('other', { capturedAt: '2026-02-28T14:00:00.123Z', type: 'full', id: 'cccccccccccc' }))
  const log = { from: toLsn(1), to: toLsn(9), epoch: 1, firstTime: 1_700_000_000_000, lastTime: 1_700_000_001_000 }
  await put(segmentKey('app', { ...log, kind: 'log' }))
  assert.deepEqual(await readFreshness(database, now), {
    database: 'app',
    newestBackupAt: Date.parse('2026-01-31T14:00:00.123Z'),
    newestCommitAt: 1_700_000_001_000,
    coveredAt: undefined,
    coveredUntil: undefined,
  })
})

test('what a clock that was ahead dated hides nothing', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  const put = (key: string) => repository.storage.put(key, Buffer.from('unread'))
  const [right, ahead] = ['2029-12-31T10:00:00.000Z', '2099-01-01T00:00:00.000Z']
  await put(manifestKey('app', { capturedAt: right, type: 'full', id: 'aaaaaaaaaaaa' }))
  await put(manifestKey('app', { capturedAt: ahead, type: 'full', id: 'bbbbbbbbbbbb' }))
  const base = { kind: 'base', from: toLsn(0), to: toLsn(1), epoch: 1, firstTime: 1 } as const
  await put(segmentKey('app', { ...base, lastTime: Date.parse(right) }))
  await put(segmentKey('app', { ...base, to: toLsn(2), lastTime: Date.parse(ahead) }))
  const { newestBackupAt, newestCommitAt } = await readFreshness(database, now)
  assert.deepEqual([newestBackupAt, newestCommitAt], [Date.parse(right), Date.parse(right)])
  // A machine may be some seconds ahead of another.
  await put(segmentKey('app', { ...base, to: toLsn(3), lastTime: now + 20_000 }))
  assert.equal((await readFreshness(database, now)).newestCommitAt, now + 20_000)
})

test('what a follower stores counts without a manifest, what an interrupted backup left does not', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  const segment = { from: toLsn(0), to: toLsn(1), epoch: 1, firstTime: 1_700_000_000_000, lastTime: 1_700_000_000_000 }
  const base = segmentKey('app', { ...segment, kind: 'base' })
  await repository.storage.put(base, Buffer.from('unread'))
  await putFollowLease(repository, 'app', { purpose: 'backup', released: true, pending: base })
  assert.equal((await readFreshness(database, now)).newestCommitAt, undefined)
  await putFollowLease(repository, 'app')
  assert.equal((await readFreshness(database, now)).newestCommitAt, 1_700_000_000_000)
  const delta = { ...segment, from: toLsn(1), to: toLsn(2), lastTime: 1_700_000_005_000 }
  await repository.storage.put(segmentKey('app', { ...delta, kind: 'delta' }), Buffer.from('unread'))
  assert.equal((await readFreshness(database, now)).newestCommitAt, 1_700_000_005_000)
})

test('a follower that is alive and has said that all is there vouches for now, one that is gone for when it said so', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  const coveredUntil = async () => (await readFreshness(database, now)).coveredUntil
  const ago = (milliseconds: number) => new Date(now - milliseconds).toISOString()
  await putFollowLease(repository, 'app', { coveredAt: ago(minute) })
  assert.equal(await coveredUntil(), undefined, 'there is nothing')
  const base = { kind: 'base', from: toLsn(0), to: toLsn(1), epoch: 1, firstTime: 1, lastTime: 1 } as const
  await repository.storage.put(segmentKey('app', base), Buffer.from('unread'))
  assert.equal(await coveredUntil(), now)
  await putFollowLease(repository, 'app')
  assert.equal(await coveredUntil(), undefined, 'it has not begun')
  // Its clock was wrong.
  await putFollowLease(repository, 'app', { coveredAt: ago(-300 * 24 * hour) })
  assert.equal((await readFreshness(database, now)).coveredUntil, undefined)
  await putFollowLease(repository, 'app', { coveredAt: ago(2 * hour) })
  assert.equal(await coveredUntil(), now - 2 * hour, 'it is behind since then')
  await putFollowLease(repository, 'app', { coveredAt: ago(minute), released: true })
  assert.equal(await coveredUntil(), now - minute)
  const gone = { pid: 4_194_303, host: 'elsewhere', bootId: 'another', startedAt: '1' }
  const expiresAt = new Date(Date.now() - hour).toISOString()
  await putFollowLease(repository, 'app', { coveredAt: ago(minute), owner: gone, expiresAt })
  assert.equal(await coveredUntil(), now - minute)
  await putFollowLease(repository, 'app', { coveredAt: ago(minute), purpose: 'backup' })
  assert.equal(await coveredUntil(), now - minute, 'nobody follows it while another works on it')
})
