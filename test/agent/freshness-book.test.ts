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
import { putFollowLease } from './support/follow-lease.ts'
import { app, followApp } from './support/followed-app.ts'

const hour = 3_600_000

async function scene({ overdueAfterMs = 24 * hour, isFollowed = true, hasBackup = true } = {}) {
  const repository = await Repository.init(new MemoryStorage())
  const clock = new ManualClock()
  const { name, path } = app
  const capturedAt = new Date(clock.now() - 48 * hour).toISOString()
  if (hasBackup)
    await repository.storage.put(manifestKey(name, { capturedAt, type: 'full', id: 'aaaaaaaaaaaa' }), Buffer.from('x'))
  const { followed: own, following } = await followApp(clock)
  const followed = isFollowed ? own : undefined
  const config = databaseConfig({ source: { kind: 'path', path, name }, overdueAfterMs })
  const engine = new Engine()
  const pendingSince = (key: string): number | undefined => {
    const entry = engine.state[key]
    return entry?.phase === 'pending' ? entry.since : undefined
  }
  const clocks = { laterMs: 0 }
  const book = new FreshnessBook({ now: () => clock.now() + clocks.laterMs, pendingSince })
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
  /** Somebody else makes one. */
  const backUp = async (id: string): Promise<void> => {
    const made = { capturedAt: new Date(clock.now()).toISOString(), type: 'full', id } as const
    await repository.storage.put(manifestKey(name, made), Buffer.from('x'))
  }
  /** Time passes for the alerts alone, without a round. */
  const wait = async (milliseconds: number): Promise<string[]> => {
    engine.now = clock.now()
    await clock.pass(milliseconds)
    return engine.wait(milliseconds).map(({ state, key }) => `${state} ${key}`)
  }
  const newestStateAt = () => book.newestStateAt({ name, path, config, followed }, clock.now())
  const window = () => book.window({ name, path, config, followed }, clock.now())
  return { clock, clocks, following, look, backUp, wait, repository, book, newestStateAt, window }
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

test('a short limit is not passed while somebody else makes backups, by whatever moment alerts are looked at', async () => {
  const { look, wait, backUp } = await scene({ overdueAfterMs: 30_000, isFollowed: false, hasBackup: false })
  const told: string[] = []
  told.push(...(await look()), ...(await wait(20_000)))
  for (const id of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd']) {
    await backUp(id)
    told.push(...(await wait(10_000)), ...(await look()), ...(await wait(15_000)))
  }
  assert.deepEqual(told, [])
  await wait(31_000)
  assert.deepEqual(await look(), ['firing overdue/app'])
  await backUp('eeeeeeeeeeee')
  await wait(600_000)
  await backUp('ffffffffffff')
  assert.deepEqual(await look(), ['recovered overdue/app'])
})

test('where there never was a backup, that is told when a round sees it after the limit, and not if one was made just before', async () => {
  const { look, wait } = await scene({ overdueAfterMs: 30_000, isFollowed: false, hasBackup: false })
  assert.deepEqual(await look(), [])
  assert.deepEqual(await wait(40_000), [])
  assert.deepEqual(await look(), ['firing overdue/app'])
  const late = await scene({ overdueAfterMs: hour, isFollowed: false, hasBackup: false })
  assert.deepEqual(await late.look(), [])
  await late.wait(hour - 10_000)
  assert.deepEqual(await late.look(), [])
  await late.backUp('aaaaaaaaaaaa')
  await late.wait(20_000)
  assert.deepEqual(await late.look(), [])
})

test('what is read is of the moment of its reading, which is later than the beginning of the round', async () => {
  const { look, repository, clock, clocks } = await scene({ overdueAfterMs: hour, isFollowed: false })
  clocks.laterMs = 5_000
  await putFollowLease(repository, 'app', { coveredAt: new Date(clock.now()).toISOString() })
  assert.deepEqual(await look(), [])
})

test('a short stop of a follower elsewhere is none of the database, a long one is', async () => {
  const { look, wait, repository, clock } = await scene({ overdueAfterMs: hour, isFollowed: false })
  const coveredAt = new Date(clock.now()).toISOString()
  await putFollowLease(repository, 'app', { coveredAt })
  assert.deepEqual(await look(), [])
  await wait(0.7 * hour)
  assert.deepEqual(await look(), [])
  await putFollowLease(repository, 'app', { coveredAt, released: true })
  await wait(0.2 * hour)
  assert.deepEqual(await look(), [])
  await wait(0.8 * hour)
  assert.deepEqual(await look(), ['firing overdue/app'])
})

test('what this agent follows itself is as new as its follower knows, though its lease shows that one alive', async () => {
  const { clock, following, look, wait, repository, book } = await scene({ overdueAfterMs: 20_000 })
  const coveredAt = new Date(clock.now()).toISOString()
  await putFollowLease(repository, 'app', { coveredAt })
  following.emit({ kind: 'started', mode: 'commits', how: 'unchanged', lsn: toLsn(1), time: 1 })
  assert.deepEqual(await look(), [])
  await clock.pass(hour)
  assert.deepEqual(await look(), [], 'nothing happens in it')
  following.emit({ kind: 'commits', count: 1, bytes: 9, lsn: toLsn(2), time: clock.now() })
  await wait(15_000)
  assert.deepEqual(await look(), [])
  await wait(10_000)
  await book.read(repository.database('app'), new AbortController().signal)
  assert.deepEqual(await look(), ['firing overdue/app'])
  await wait(hour)
  await book.read(repository.database('app'), new AbortController().signal)
  assert.deepEqual(await look(), [], 'it lasts')
  following.emit({ kind: 'uploaded', segment: 's', lsn: toLsn(2), bytes: 9, lagMs: hour })
  assert.deepEqual(await look(), ['recovered overdue/app'])
})

test('a followed database is as new as its follower could last say, also where that cannot read it', async () => {
  const { clock, following, newestStateAt, wait } = await scene()
  assert.equal(newestStateAt(), undefined)
  following.emit({ kind: 'started', mode: 'commits', how: 'unchanged', lsn: toLsn(1), time: 1 })
  await clock.pass(hour)
  assert.equal(newestStateAt(), clock.now(), 'nothing happens in it')
  const away = clock.now()
  following.emit({ kind: 'retrying', what: 'database', message: 'There is no file.', delayMs: 1, failures: 1 })
  await wait(hour)
  assert.equal(newestStateAt(), away)
})

test('a database that is not followed is as new as its newest backup', async () => {
  const { clock, look, newestStateAt, backUp, wait, book } = await scene({ isFollowed: false })
  await look()
  assert.equal(newestStateAt(), clock.now() - 48 * hour)
  await wait(hour)
  await backUp('bbbbbbbbbbbb')
  const madeAt = clock.now()
  book.backedUp('app', madeAt)
  await wait(hour)
  assert.equal(newestStateAt(), madeAt)
})

test('uploads that go on, but are behind, do not make a database new', async () => {
  const { clock, following, look, wait } = await scene({ overdueAfterMs: 20_000 })
  following.emit({ kind: 'started', mode: 'commits', how: 'unchanged', lsn: toLsn(1), time: 1 })
  assert.deepEqual(await look(), [])
  const told: string[] = []
  for (let lsn = 2; lsn < 12; lsn += 1) {
    following.emit({ kind: 'commits', count: 1, bytes: 9, lsn: toLsn(lsn), time: clock.now() })
    if (lsn > 7) following.emit({ kind: 'uploaded', segment: 's', lsn: toLsn(lsn - 6), bytes: 9, lagMs: hour })
    await wait(10_000)
    told.push(...(await look()))
  }
  assert.deepEqual(told, ['firing overdue/app'])
})

test('the last backup is when it was made, also where the repository only tells of an older state', async () => {
  const repository = await Repository.init(new MemoryStorage())
  const made = Date.parse('2026-03-10T02:00:00Z')
  const capturedAt = new Date(made - 240 * hour).toISOString()
  await repository.storage.put(manifestKey('app', { capturedAt, type: 'full', id: 'aaaaaaaaaaaa' }), Buffer.from('x'))
  const book = new FreshnessBook({ now: () => made, pendingSince: () => undefined })
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
  const config = databaseConfig({ source: { kind: 'path', ...app } })
  assert.equal(book.newestStateAt({ ...app, config, followed: undefined }, made + 25 * hour), made - 240 * hour)
})
